from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.commands.start.sample.file import read_sample
from backend.commands.start.sample.label_space import label_config, label_space, shipped_messages, shipped_space
from backend.errors import SampleError
from backend.label_studio.label_config import read_labeling_config
from model.labels import Label, LabelSpace


def test_the_shipped_labels_are_those_of_the_messages_and_have_hints() -> None:
    space = label_space(read_sample(shipped_messages()))
    assert space == shipped_space()
    assert set(space.names) == set(read_sample(shipped_messages()).labels)
    assert all(label.hint for label in space.labels)


def sample(folder: Path, *labels: str) -> Path:
    path = folder / "a.csv"
    path.write_text(
        "text,label\n" + "".join(f'"number {n} of the texts","{label}"\n' for n, label in enumerate(labels))
    )
    return path


def test_labels_come_from_the_file_or_from_the_setting(tmp_path: Path) -> None:
    file = read_sample(sample(tmp_path, "b", "a", "", " b "))
    assert label_space(file).names == ("a", "b")
    assert label_space(file, "x, y  z ,,b").names == ("x", "y z", "b")


def test_labels_that_do_not_make_a_space_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match='has no column "label"; name the labels with LABELS='):
        label_space(read_sample(sample(tmp_path, "", "")))
    with pytest.raises(SampleError, match="at least two labels"):
        label_space(read_sample(sample(tmp_path, "a", "a")))
    with pytest.raises(SampleError, match="occur more than once: a"):
        label_space(read_sample(sample(tmp_path, "a", "a")), "a,b,a")
    many = read_sample(sample(tmp_path, *(f"id {number}" for number in range(50))))
    with pytest.raises(SampleError, match="50 different values in 50 rows, too many for labels"):
        label_space(many)


def test_many_labels_go_into_a_drop_down() -> None:
    few = label_config(LabelSpace.of(f"label {n}" for n in range(20)))
    many = label_config(LabelSpace.of(f"label {n}" for n in range(21)))
    assert 'showInline="true"' in few
    assert 'layout="select"' in many
    assert "showInline" not in many


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1).map(str.strip)


@given(st.lists(st.tuples(NAMES, NAMES | st.just("")), min_size=2, max_size=30, unique_by=lambda pair: pair[0]))
def test_the_label_config_reads_back_as_the_same_labels(pairs: list[tuple[str, str]]) -> None:
    space = LabelSpace(tuple(Label(name, hint=hint) for name, hint in pairs))
    control = read_labeling_config(label_config(space))
    assert control.space.names == space.names
    assert [label.hint for label in control.space.labels] == [label.hint for label in space.labels]
