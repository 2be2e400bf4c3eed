// While a job runs, show its progress: fetch the page again and replace its content. Everything works without this.
"use strict";
const EVERY_MS = 4000;

async function refresh() {
  const main = document.querySelector("main[data-running]");
  if (!main) return;
  const busy = document.hidden || main.contains(document.activeElement) || main.querySelector("details[open]");
  if (!busy) {
    try {
      const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      const nonce = document.querySelector("[nonce]")?.nonce; // of this page: its policy also rules what is parsed here
      const text = await answer.text();
      if (!nonce && text.includes(' nonce="')) return location.reload();
      const own = text.replace(/ nonce="[^"]*"/g, ` nonce="${nonce}"`);
      const found = new DOMParser().parseFromString(own, "text/html").querySelector("main");
      if (answer.ok && found) main.replaceWith(found);
    } catch { /* the server is away for a moment; the next round asks again */ }
  }
  setTimeout(refresh, EVERY_MS);
}

setTimeout(refresh, EVERY_MS);
