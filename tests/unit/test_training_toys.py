"""The model that the training tests train is what they take it for."""

from pathlib import Path

from transformers import AutoModelForCausalLM

from training_toys import tiny_model


def test_the_toy_model_is_an_ordinary_folder(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path / "model"))
    assert model.config.num_hidden_layers == 2
