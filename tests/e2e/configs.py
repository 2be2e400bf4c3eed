"""The two label configs of the end-to-end tests, their labels and texts that a person can label without thinking."""

from __future__ import annotations

LABELS = {
    "billing": "charges, invoices, double payments",
    "refund": "wants money back",
    "shipping": "parcel late, lost or damaged",
    "login": "password, account access",
}

TEXTS = {
    "billing": [
        "I was charged twice for my {} invoice",
        "The {} bill shows a fee that I do not know",
        "Why is the amount on my {} statement higher than before?",
        "Please send me a corrected invoice for the {} plan",
        "My card was debited two times for {}",
    ],
    "refund": [
        "I want my money back for the {}",
        "Please return the payment, the {} did not work",
        "When do I get the refund for my cancelled {}?",
        "Give me back what I paid for the {}",
        "I sent the {} back and still have no money",
    ],
    "shipping": [
        "My parcel with the {} has not arrived",
        "The courier delivered a broken {}",
        "Where is my package with the {}?",
        "The delivery of the {} is a week late",
        "The {} got lost on its way to me",
    ],
    "login": [
        "I cannot sign in to the {} page with my password",
        "The password reset mail for {} never comes",
        "My {} account is locked after three attempts",
        "How do I change the password of my {} profile?",
        "The login code for {} is not accepted",
    ],
}
THINGS = ["lamp", "phone", "March", "basic", "kettle", "premium", "desk", "shop", "radio", "family", "camera", "winter"]


def choices(labels: dict[str, str]) -> str:
    """The Choice tags of `labels` (name to hint)."""
    return "".join(f'<Choice value="{name}" hint="{hint}"/>' for name, hint in labels.items())


def config_a(labels: dict[str, str] = LABELS) -> str:
    """Several ticks: the annotator narrows them."""
    return (
        '<View><Text name="text" value="$text"/>'
        '<Choices name="label" toName="text" choice="multiple" required="true" showInline="true" '
        f'requiredMessage="Leave one label ticked, or skip the task">{choices(labels)}</Choices></View>'
    )


def config_b(labels: dict[str, str] = LABELS) -> str:
    """One final label, the candidates as read-only lines above it."""
    return (
        '<View><Text name="text" value="$text"/><Header value="Candidates" size="6"/>'
        '<TextArea name="candidates" toName="text" editable="false" maxSubmissions="0"/>'
        '<Header value="Label" size="6"/>'
        f'<Choices name="label" toName="text" choice="single" required="true" showInline="true">{choices(labels)}'
        "</Choices></View>"
    )


def rows(count: int) -> list[dict[str, str]]:
    """`count` different task data rows `{text, gold}`, the labels in turn; at most 240."""
    made = [
        {"text": sentence.format(thing), "gold": label}
        for thing in THINGS
        for index in range(5)
        for label, sentence in ((label, sentences[index]) for label, sentences in TEXTS.items())
    ]
    assert count <= len(made)
    return made[:count]
