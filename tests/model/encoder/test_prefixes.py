import pytest

from model.encoder.prefixes import chosen_prompt


@pytest.mark.parametrize(
    ("place", "prefix"),
    [
        ("intfloat/multilingual-e5-small", "query: "),
        ("/models/e5-base-v2/", "query: "),
        ("intfloat/multilingual-e5-large-instruct", ""),
        ("nomic-ai/nomic-embed-text-v1.5", "classification: "),
        ("nomic-ai/modernbert-embed-base", "classification: "),
        ("BAAI/bge-m3", ""),
        ("thenlper/gte-small", ""),
        ("default", ""),
    ],
)
def test_documented_prefixes_are_known_by_name(place: str, prefix: str) -> None:
    assert chosen_prompt({}, None, place) == prefix


def test_the_models_own_prompts_come_first() -> None:
    own = {"query": "search: ", "document": "text: ", "Classification": "task: "}
    assert chosen_prompt(own, "query", "x") == "search: "
    assert chosen_prompt(own, None, "x") == "task: "
    assert chosen_prompt({"query": "search: ", "document": ""}, None, "intfloat/e5-small") == ""
    assert chosen_prompt({"query": "search: "}, "gone", "x") == ""
