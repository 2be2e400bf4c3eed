"""The pools of a set that are labelled: in domain, and under shifts of the domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.pairs.choosing import Ground
from benchmarks.pairs.material import SHIFTED, Material, Rows, split
from benchmarks.pairs.summary import WITHOUT
from model.arrays import Embed
from model.encoder.embeddings import EmbeddingCache
from model.student.adapted import AdaptedEncoder
from model.training.adaptation import adapt
from model.training.data import TrainingData
from model.training.options import TrainingOptions

LARGE = 100  # test pairs of a domain from which on it is left out once
NONE = Rows([], np.zeros(0, np.int64), np.zeros(0, np.int64), [])


def grounds(material: Material, embed: Embed, cache: Path, adapting: bool) -> Iterator[Ground]:
    """In domain; and where there are domains under a shift, by the frozen encoder and by one adapted to the source,
    and with each of the larger domains left out of what is known."""
    yield Ground(material, "in domain", material.train, material.test, NONE, embed, embed)
    target, test = split(material, lambda name: name in SHIFTED)
    source, _ = split(material, lambda name: name not in SHIFTED)
    if not (len(target) and len(test) and len(source)):
        return
    yield Ground(material, "shift", target, test, source, embed, embed)
    yield Ground(material, "target alone", target, test, NONE, embed, embed)
    if adapting:
        own = adapted(material, source)
        yield Ground(material, "shift, adapted", target, test, source, EmbeddingCache(cache, own.encoder).embed, embed)
    for domain, count in sorted(Counter(material.test.domains).items()):
        if count >= LARGE:
            target, test = split(material, domain.__eq__)
            source, _ = split(material, domain.__ne__)
            yield Ground(material, f"{WITHOUT}{domain}", target, test, source, embed, embed)


def adapted(material: Material, source: Rows) -> AdaptedEncoder:
    """The product's own adaptation, on the labels of the source."""
    sets = np.eye(len(material.space), dtype=np.bool_)[source.gold]
    data = TrainingData(source.texts, sets, np.ones(len(source), np.bool_))
    return adapt(data, TrainingOptions(pair=material.pair))
