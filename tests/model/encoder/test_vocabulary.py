"""Texts in languages that an encoder does not know are told from those that it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from model.encoder.vocabulary import foreign_share

ENGLISH = ["I was charged twice for the same order", "where is my parcel? 1Z999-222", "LOL thx so much!!! 🎉🎉", "ok"]
FOREIGN = {
    "german": "Der Kunde möchte seine Bestellung stornieren und das Geld zurückerhalten",
    "french": "Je voudrais annuler ma commande et être remboursé rapidement",
    "spanish": "Quiero cancelar mi pedido y recibir el reembolso cuanto antes",
    "turkish": "Siparişimi iptal etmek ve paramı geri almak istiyorum",
    "vietnamese": "Tôi muốn hủy đơn hàng và lấy lại tiền của mình",
    "russian": "Где моя посылка? Я хочу вернуть деньги",
    "arabic": "أين طردي؟ أريد استرداد أموالي من المتجر",
    "hindi": "मैं अपना ऑर्डर रद्द करना चाहता हूँ",
    "korean": "주문을 취소하고 환불을 받고 싶습니다",
    "japanese": "注文をキャンセルして返金してほしい",
    "chinese": "我的订单还没有送到，我想退款",
    "thai": "ฉันต้องการยกเลิกคำสั่งซื้อและขอเงินคืน",
}


@pytest.mark.parametrize("language", FOREIGN)
def test_the_bundled_encoder_knows_english_alone(language: str) -> None:
    assert foreign_share("default", [FOREIGN[language]]) == 1.0


def test_english_of_all_kinds_is_known_and_shares_are_counted() -> None:
    assert foreign_share("default", ENGLISH) == 0.0
    mixed = foreign_share("default", [*ENGLISH, FOREIGN["german"]])
    assert mixed == pytest.approx(1 / 4)  # "ok" says nothing
    assert foreign_share("default", ["", "12345", "🎉"]) is None
    assert foreign_share("default", ["\ud800 where is my parcel please"]) == 0.0


def test_a_vocabulary_of_the_language_knows_it(tmp_path: Path) -> None:
    inner = Tokenizer(models.BPE(unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=2000, special_tokens=["<unk>"], show_progress=False)
    known = [FOREIGN["german"], FOREIGN["chinese"], FOREIGN["russian"]]
    inner.train_from_iterator(known * 50, trainer)
    inner.save(str(tmp_path / "tokenizer.json"))
    assert foreign_share(str(tmp_path), known) == 0.0
    assert foreign_share(str(tmp_path / "nothing"), known) is None
