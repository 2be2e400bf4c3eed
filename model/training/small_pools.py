"""The heads of a small pool: a linear one that remembers its texts, and networks where they help it with others.

Of the few features of pairs that are told apart by a key networks learn what they are, and remember by the key; a
linear head joins them where that makes answers likelier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray, Progress, Stop
from model.pair_views import LONGEST
from model.text_groups import folds
from model.training.head_training import HeadLearner
from model.training.levels import shrinking
from model.training.linear_head import Head, Unseen, averaged, linear_head
from model.training.loop import Plan, train
from model.training.memory import before_key, can_remember, remembering
from model.training.options import TrainingOptions
from model.training.targets import SoftTargets

SMALL, SMALL_OF_PAIRS = 1_000, 3_000  # rows below which a pool is small: of single texts, of pairs
FEW = 32  # features of pairs: by fewer networks remember no pool, and bend where levels lie on one line
FOLDS = 3  # of texts, by which the linear head's strength is chosen, and whether networks join it
SHORT, LEAST_STEPS = 10, 100  # epochs of these networks, and steps, unless a whole training has fewer epochs
MEMBERS = 3  # networks that answer together
MEMBER_SEED = 7919  # distance between their seeds


def may_start_linear(rows: int, options: TrainingOptions) -> bool:
    """Whether a linear head may answer: on small pools of ours, unless somebody chose how networks train."""
    free = options.heads is None and options.epochs is None and options.learning_rate is None
    return free and options.method == "shortlist" and rows < (SMALL if options.pair is None else SMALL_OF_PAIRS)


def starts_linear(keys: FloatArray, options: TrainingOptions) -> bool:
    """Whether a linear head answers texts that are told apart by their keys `(n, e)`."""
    return may_start_linear(len(keys), options) and can_remember(keys)


def member_seeds(options: TrainingOptions, members: int) -> tuple[int, ...]:
    """A seed for each network."""
    return tuple(options.seed + MEMBER_SEED * member for member in range(members))


@dataclass(frozen=True)
class SmallPool:
    """Vectors `(n, d)`, what is believed of their texts, and how a network of all rows would train. Texts are told
    apart by the vectors, which then have length one, or by `keys` `(n, e)` that do: heads see these behind them."""

    vectors: FloatArray
    targets: SoftTargets
    plan: Plan
    options: TrainingOptions
    keys: FloatArray | None = None
    progress: Progress | None = None
    stop: Stop | None = None
    ordered: bool = False  # labels are levels

    def heads(self, groups: IntArray, known: BoolArray | None = None) -> tuple[list[Head], dict[str, object]]:
        """Heads that answer together, and how they were chosen: by texts of other `groups` `(n,)`, but not by `known`
        rows, from whose labels the encoder has learned."""
        fold_of = folds(groups, FOLDS, self.options.seed)
        unseen = self._unseen(fold_of if known is None else np.where(known, -1, fold_of))
        strength = unseen.strength()
        self._tell(0.5, "the strength of a linear head is chosen")
        few = self.keys is not None and self.vectors.shape[1] < FEW
        heads, told = (self._networks_first if few else self._linear_first)(unseen, strength)
        line = {"levels": "each by itself" if unseen.levels is None else "on a line"} if self.ordered else {}
        return heads, {"strength": strength, **told, **line}

    def _linear_first(self, unseen: Unseen, strength: float) -> tuple[list[Head], dict[str, object]]:
        """A linear head that remembers, and networks if they join it."""
        short = self._short()
        joined = unseen.joined_by(lambda vectors, told: self._networks(vectors, told, 1, short), strength)
        found = [self._remembering(self._linear(unseen, strength))]
        self._tell(0.9, "a linear head is trained")
        if joined:
            found.append(before_key(self._networks(self.vectors, self.targets, MEMBERS, short), self.keys))
        return found, {"joined_by_networks": joined}

    def _networks_first(self, unseen: Unseen, strength: float) -> tuple[list[Head], dict[str, object]]:
        """Networks that remember, and a linear head that does if it joins them: sure of the contrary, it would win."""
        epochs = self.plan.epochs
        joins = unseen.joins(lambda vectors, told: self._networks(vectors, told, MEMBERS, epochs), strength)
        found = [self._remembering(self._networks(self.vectors, self.targets, MEMBERS, epochs))]
        self._tell(0.9, "networks are trained")
        if joins:
            found.append(self._remembering(self._linear(unseen, strength)))
        return found, {"joins_networks": joins}

    def _linear(self, unseen: Unseen, strength: float) -> Head:
        """A linear head of all rows, on whose levels unseen texts are likeliest."""
        return linear_head(self.vectors, self.targets, strength, self.stop, unseen.levels)

    def _unseen(self, fold_of: IntArray) -> Unseen:
        """Heads that judge; of levels in order those that change evenly, if unseen texts are likelier by them."""
        free = Unseen(self.vectors, self.targets, fold_of, self.stop)
        if not self.ordered or not free.several:
            return free
        even = Unseen(self.vectors, self.targets, fold_of, self.stop, shrinking(self.targets.targets.shape[1]))
        return even if even.likelihood() > free.likelihood() else free

    def _remembering(self, head: Head) -> Head:
        """What it answers, and of the pool's own texts what is believed."""
        return remembering(head, self.vectors, self.targets, self.keys, 1.0 if self.keys is None else LONGEST)

    def _short(self) -> int:
        """Epochs of networks that join: longer, they would remember their pool too well."""
        steps = math.ceil(LEAST_STEPS / math.ceil(len(self.vectors) / self.plan.batch))
        return min(self.plan.epochs, max(SHORT, steps))

    def _networks(self, vectors: FloatArray, told: SoftTargets, members: int, epochs: int) -> Head:
        """Some networks as one head."""
        seeds = member_seeds(self.options, members)
        plan = replace(self.plan, epochs=epochs, seeds=seeds)
        steps = plan.epochs * math.ceil(len(vectors) / plan.batch)
        learner = HeadLearner(vectors, told.targets.shape[1], self.options, steps, seeds)
        train(learner, told, plan, None, self.stop)
        return averaged(learner.weights())

    def _tell(self, share: float, message: str) -> None:
        if self.progress is not None:
            self.progress(share, message)
