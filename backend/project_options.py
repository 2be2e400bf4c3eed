"""The settings that a project may override, in one typed class."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from model.committee.roster import Roster

Rules = Literal[  # those of model.acquisition that need no committee and no human labels
    "margin-clusters", "sharp-clusters", "entropy-clusters", "margin", "entropy", "least-confidence", "margin-k-means",
    "margin-balanced", "margin-cover", "k-means", "random", "ci-published", "ci-total-variation",
    "ci-jensen-shannon", "ci-clusters",
]  # fmt: skip
TEACHER_PATTERN = r"^(auto|similarity|(openai|anthropic):.+)$"


class ProjectOptions(BaseModel):
    """What a project may override through the `extra_params` of its ML backend connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    TEACHER: str = Field(
        "auto",
        pattern=TEACHER_PATTERN,
        description="auto, similarity, openai:<model>, anthropic:<model>; several joined by + vote",
    )
    PROMPT: Literal["single", "unsure", "all"] = Field("all", description="how the LLM is asked for candidates")
    STUDENT_ENCODER: str = Field("default", description="a hub name, a folder, or `default` (bundled MiniLM)")
    STUDENT_RUNTIME: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto",
        description="how the encoder computes: auto takes the fastest way here that changes next to no label",
    )
    STUDENT_TRAINING: Literal["auto", "head", "finetune"] = Field(
        "auto",
        description="auto: on a CPU a head at once, and from 100 human labels on an encoder adapted to them in the"
        " background; on a GPU finetune. head never touches the encoder",
    )
    STUDENT_METHOD: Literal["shortlist", "refinery", "renormalised", "uniform", "distillation", "freeal"] = Field(
        "shortlist",
        description="what a student learns from candidate sets: shortlist weighs them by similar texts and by human"
        " labels; refinery is CanDist as published; the others are its baselines (figures: evidence/quality.md)",
    )
    STUDENT_EPOCHS: int = Field(
        0, ge=0, le=200, description="passes over all tasks; 0: 40 (head, large pools fewer), 10 (finetune), 50 (GPU)"
    )
    FINETUNE_LOSSES: Literal["none", "consistency", "mixup", "consistency+mixup"] = Field(
        "none", description="extra losses of full fine-tuning (CanDist, equations 8 and 9); they cost twice the time"
    )
    FINETUNE_AUGMENTATION: Literal["words", "back-translation"] = Field(
        "words",
        description="other wordings for the consistency loss: small edits, or English to French and back by two models",
    )
    SERVE: Literal["auto", "teacher", "student"] = Field(
        "auto", description="auto serves the student once it is promoted"
    )
    SERVE_UNSURE: Literal["label", "shortlist"] = Field(
        "label",
        description="what a student serves where it is unsure: its label, or the shortlist that holds the true label "
        "with COVERAGE; begins with the next training",
    )
    COVERAGE: float = Field(
        0.9, ge=0.5, le=0.99, description="share of tasks whose true label is in the student's shortlist"
    )
    COVERAGE_PER_CLASS: bool = Field(
        False, description="keep COVERAGE for every label by itself, where enough human labels are kept for testing"
    )
    RETRAIN_AFTER: int = Field(
        20, ge=0, description="changed human labels that start a training; 0: only on the button"
    )
    RETRAIN_IDLE_SECONDS: int = Field(120, ge=0, description="seconds of silence that start a training; 0: never")
    RETRAIN_GROWTH: float = Field(
        0.1, ge=0.0, le=10.0, description="share of the labels learned from that must be new, if above RETRAIN_AFTER"
    )
    PAUSED: bool = Field(False, description="no training, no question to the teacher; as `shortlist pause` does")
    BLIND_SHARE: float = Field(
        0.05, ge=0.0, le=1.0, description="share of tasks that are shown without an answer, to measure without bias"
    )
    KEEP_VERSIONS: int = Field(
        10, ge=2, description="newest students that are kept; the served one and the one before it always are"
    )
    BUDGET_USD: float = Field(5.0, ge=0.0, description="hard cap on what the teacher may cost, US dollars")
    MAX_CANDIDATES: int = Field(5, ge=1, description="largest candidate set that is shown, labels")
    CONTROL: str = Field("", description="name of the control tag, where the label config has several")
    EXAMPLES: Literal["none", "nearest", "fixed"] = Field(
        "nearest", description="labelled texts shown to an LLM: none, the nearest ones, or the same ones for all texts"
    )
    EXAMPLE_COUNT: int = Field(10, ge=1, le=50, description="labelled texts shown to an LLM with every question, most")
    EXAMPLES_WRITTEN: int = Field(
        2,
        ge=0,
        le=5,
        description="examples per label that the LLM writes itself, once, while people have labelled none",
    )
    INSTRUCTIONS: Literal["project", "none"] = Field(
        "project", description="whether an LLM reads the project's description and instructions in Label Studio"
    )
    LABELS_SHOWN: str = Field(
        "auto",
        pattern=r"^(auto|off|[2-9]|[1-9][0-9]+)$",
        description="how many labels an LLM is shown, those nearest to the text; auto: all but for very long lists; "
        "off: always all",
    )
    TEXTS_PER_CALL: int = Field(1, ge=1, le=50, description="texts in one question to an LLM")
    TEACHER_VOTES: int = Field(
        1,
        ge=1,
        le=15,
        description="opinions asked of each LLM; those with most votes, up to MAX_CANDIDATES, are the set; confidences "
        "are shares",
    )
    BATCH: Literal["auto", "always", "off"] = Field(
        "auto", description="batch API at half price, within a day; auto: for 1,000 tasks and more, after the first 200"
    )
    PRESELECT: bool = Field(True, description="label config B: tick the first candidate; false leaves the choice open")
    MODE: Literal["student", "committee"] = Field(
        "student", description="what is trained: one student, or a committee of small models that vote"
    )
    COMMITTEE: str = Field(
        "student,words,names",
        description="members: student, words, names, files that describe existing classifiers, and students on"
        " bootstrap samples, of other ways and encoders: student[:<seed>][/head, /adapted or /finetune][@<encoder>]",
    )
    VOTING: Literal["weighted", "majority", "unanimous"] = Field(
        "weighted", description="when a committee's votes decide; else the task goes to the teacher, then to people"
    )
    VOTES_IN_PROMPT: bool = Field(
        False, description="tell an LLM how a committee's members voted; off, so that their errors do not anchor it"
    )
    STAGE_AFTER: int = Field(
        500, ge=5, description="tasks that the teacher reviewed for a committee after which its members learn anew"
    )
    REPLAY: float = Field(
        0.5, ge=0.0, le=5.0, description="tasks that a committee's votes decided and it learns again, per reviewed task"
    )
    SCORE: Literal["confidence", "acquisition"] = Field(
        "confidence",
        description="what Label Studio's score column carries: how sure the answer is, or how much a decision is worth "
        "(lowest first, with clusters), for its uncertainty sampling",
    )
    ACQUISITION: Rules = Field(
        "margin-clusters", description="rule that chooses which tasks come next, for a paid teacher and for people"
    )

    @field_validator("COMMITTEE")
    @classmethod
    def _members(cls, value: str) -> str:
        return ",".join(Roster.of(value).members)
