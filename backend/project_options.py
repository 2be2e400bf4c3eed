"""The settings that a project may override, in one typed class."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from model.committee.roster import Roster
from model.encoder.name import EncoderName
from model.errors import EncoderError

Rules = Literal[  # those of model.acquisition that need no committee and no human labels
    "margin-clusters", "sharp-clusters", "entropy-clusters", "margin", "entropy", "least-confidence", "margin-k-means",
    "margin-balanced", "margin-cover", "k-means", "random", "ci-published", "ci-total-variation",
    "ci-jensen-shannon", "ci-clusters", "ci-up", "ci-down",
]  # fmt: skip
TARGETS_PATTERN = r"^$|^[^=,]+=(1|0?\.[0-9]+)(,[^=,]+=(1|0?\.[0-9]+))*$"
ANSWER_PATTERN = r"^(auto|one|several|ordered|[^=,]+=(one|several|ordered)(,[^=,]+=(one|several|ordered))*)$"
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
    STUDENT_ENCODER: str = Field(
        "default",
        description="hub name, folder or `default` (bundled MiniLM, English); see evidence/encoders.md",
    )
    STUDENT_RUNTIME: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto",
        description="how the encoder computes; auto: the fastest way that keeps 99.5 % of a student's labels",
    )
    STUDENT_TRAINING: Literal["auto", "head", "finetune"] = Field(
        "auto",
        description="auto: a head at once, from 40 human labels on an encoder adapted in the background;"
        " finetune trains all of it; head nothing of it",
    )
    STUDENT_METHOD: Literal[
        "shortlist", "refinery", "refinery-published", "renormalised", "uniform", "distillation", "freeal"
    ] = Field(
        "shortlist",
        description="what a student learns from candidate sets: shortlist weighs them by similar texts and by human"
        " labels; refinery-published is CanDist's, refinery the same with labels protected until they are learnt; the"
        " others are its baselines (figures: evidence/quality.md)",
    )
    CROSS_ENCODER: bool = Field(
        False,
        description="pairs: try a cross-encoder, use it where it helps (evidence/pairs.md)",
    )
    FREQUENCIES: Literal["unknown", "even"] = Field(
        "unknown",
        description="how frequent labels are: unknown trusts the teacher until 10 randomly chosen tasks are labelled;"
        " even, where you know that all labels are about equally frequent, corrects its preferences at once",
    )
    STUDENT_EPOCHS: int = Field(
        0, ge=0, le=200, description="passes over all tasks; 0: 40 (head, large pools fewer), 10 (finetune), 50 (GPU)"
    )
    FINETUNE_LOSSES: Literal["none", "consistency", "mixup", "consistency+mixup"] = Field(
        "none", description="extra losses of fine-tuning (CanDist, equations 8 and 9), at twice the time"
    )
    FINETUNE_AUGMENTATION: Literal["words", "back-translation"] = Field(
        "words",
        description="other wordings for the consistency loss: small edits, or translation to French and back",
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
        False, description="keep COVERAGE for every label, where enough human labels are held out"
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
        0.05, ge=0.0, le=1.0, description="share of tasks shown without an answer, to measure without bias"
    )
    TARGET_ERROR: float = Field(
        0.0,
        ge=0.0,
        le=0.5,
        description="share of wrong labels in a finished pool; people's queue then has an audit",
    )
    TARGET_ERROR_BY_QUESTION: str = Field(
        "",
        pattern=TARGETS_PATTERN,
        description="for some of several questions: `topic=0.02,stars=0.1`; 1: no promise",
    )
    TARGET_ERROR_PER_LABEL: bool = Field(False, description="keep it for every label that the student gives")
    TARGET_LOSS: Literal["whole", "part"] = Field(
        "whole",
        description="any difference is wrong, or part of it: a level's distance, 1 - Jaccard of sets",
    )
    CONFIDENCE: float = Field(0.95, ge=0.5, le=0.999, description="how sure that is")
    KEEP_VERSIONS: int = Field(
        10, ge=2, description="newest students kept; the served one and the one before always are"
    )
    REMOVE_OLD_PREDICTIONS: bool = Field(
        True, description="take away predictions of versions nobody sees any more in Label Studio"
    )
    BUDGET_USD: float = Field(5.0, ge=0.0, description="hard cap on what the teacher may cost, US dollars")
    MAX_CANDIDATES: int = Field(5, ge=1, description="largest candidate set that is shown, labels")
    CONTROL: str = Field(
        "",
        description="the one control tag that is answered; default: all, see QUESTIONS",
    )
    QUESTIONS: str = Field(
        "",
        description="control tags that are answered, separated by commas; default, or `all`: all that can be",
    )
    FIELDS: str = Field(
        "",
        description="texts that are read: fields or tags, separated by commas; default: all on the screen",
    )
    SYMMETRIC: bool = Field(False, description="the order of a pair's texts does not matter")
    GROUP: str = Field("", description="field that tells the query, shown or not; `none`; default: a text called query")
    GRADES: Literal["rising", "falling"] = Field(
        "rising", description="a query's labels name the worst grade first or last"
    )
    ANSWER: str = Field(
        "auto",
        pattern=ANSWER_PATTERN,
        description="what ticks mean: shortlist of `one` label or `ordered` level, or `several` right at once; by"
        " question: `a=one,b=several`; auto: as config or annotations say, else several",
    )
    EXAMPLES: Literal["none", "nearest", "fixed"] = Field(
        "nearest", description="labelled texts shown to an LLM: none, nearest, or the same for all"
    )
    EXAMPLE_COUNT: int = Field(10, ge=1, le=50, description="labelled texts shown to an LLM with every question, most")
    EXAMPLES_WRITTEN: int = Field(
        2,
        ge=0,
        le=5,
        description="examples per label that the LLM writes itself, once, while people have labelled none",
    )
    INSTRUCTIONS: Literal["project", "none"] = Field(
        "project", description="whether an LLM reads the project's description, instructions and form in Label Studio"
    )
    LABELS_SHOWN: str = Field(
        "auto",
        pattern=r"^(auto|off|[2-9]|[1-9][0-9]+)$",
        description="labels an LLM is shown, nearest to the text; auto: all but of very long lists; off: all",
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
    TICKS: Literal["fixed", "auto"] = Field(
        "fixed",
        description="auto: fewer ticks where people's times and answers show that they cost more than they help",
    )
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
        False, description="tell an LLM how a committee voted; off, lest its errors anchor it"
    )
    STAGE_AFTER: int = Field(500, ge=5, description="reviewed tasks after which a committee's members learn anew")
    REPLAY: float = Field(
        0.5, ge=0.0, le=5.0, description="tasks that a committee's votes decided and it learns again, per reviewed task"
    )
    SCORE: Literal["confidence", "acquisition", "relevance"] = Field(
        "confidence",
        description="Label Studio's score column: how sure the answer is, what a decision is worth (lowest first,"
        " with clusters), or a document's rank",
    )
    ACQUISITION: Rules = Field(
        "margin-clusters", description="rule that chooses which tasks come next, for a paid teacher and for people"
    )

    @field_validator("STUDENT_ENCODER")
    @classmethod
    def _encoder(cls, value: str) -> str:
        try:
            EncoderName.of(value)
        except EncoderError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("COMMITTEE")
    @classmethod
    def _members(cls, value: str) -> str:
        return ",".join(Roster.of(value).members)
