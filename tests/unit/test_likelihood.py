"""The likelihood of continuations: what naive code gives one by one, whatever they are asked together with."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers

from gyges.errors import UserError
from gyges.models.likelihood.logprobs import LocalModel, Request
from gyges.models.likelihood.tokens import encode

SENTENCE = "the cat dog sat lay on a mat bed and then it slept ran far away . , I will not do so"
WORDS = SENTENCE.split()
CONTEXTS = ["the cat sat on a mat .", "the cat sat on a bed and then", "a dog lay", "the cat sat on a mat . I will", ""]
CONTINUATIONS = [" it slept", " it ran far away .", " not do so , and then it slept on a bed", " slept"]
REQUESTS = [Request(context, continuation) for context in CONTEXTS for continuation in CONTINUATIONS]


def word_tokenizer(begins: bool = False):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["<unk>", "<s>", "</s>", *WORDS]
    inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if begins:
        inner.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def llama(**options):
    # Wide random weights: with the usual small ones all contexts would lead to nearly the same probabilities.
    torch.manual_seed(0)
    sizes = {
        "vocab_size": len(WORDS) + 3, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "initializer_range": 0.3, "max_position_embeddings": 64,
    }  # fmt: skip
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**sizes, **options}))


def others():
    torch.manual_seed(0)
    v, wide = len(WORDS) + 3, {"initializer_range": 0.3}
    gpt2 = transformers.GPT2Config(vocab_size=v, n_embd=32, n_layer=2, n_head=4, n_positions=64, **wide)
    yield transformers.GPT2LMHeadModel(gpt2), True
    bloom = transformers.BloomConfig(vocab_size=v, hidden_size=32, n_layer=2, n_head=4, **wide)
    yield transformers.BloomForCausalLM(bloom), False  # ALiBi counts places in the row
    mamba = transformers.MambaConfig(vocab_size=v, hidden_size=32, num_hidden_layers=2, state_size=8, **wide)
    yield transformers.MambaForCausalLM(mamba), False  # recurrent: no mask
    mistral = transformers.MistralConfig(
        vocab_size=v, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=6, max_position_embeddings=64, **wide,
    )  # fmt: skip
    yield transformers.MistralForCausalLM(mistral), True  # but longer requests than its window are read alone


def naive(model, tokenizer, request):
    """Each token's log-probability, with nothing shared and nothing clever."""
    [found] = encode(tokenizer, [request])
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([found.ids])).logits[0].float().log_softmax(-1)
    return [logits[i - 1, found.ids[i]].item() for i in range(found.start, len(found.ids))]


def farthest(scorer, requests):
    found = scorer.score(requests)
    pairs = [(f.logprobs, naive(scorer.model, scorer.tokenizer, r)) for f, r in zip(found, requests, strict=True)]
    return max(abs(x - y) for a, b in pairs for x, y in zip(a, b, strict=True))


def test_sharing_changes_nothing():
    scorer = LocalModel(llama(), word_tokenizer())
    assert scorer.packs
    assert farthest(scorer, REQUESTS) < 1e-4


@pytest.mark.parametrize("budget", [1, 7, 30, 1000])
def test_no_result_depends_on_what_it_was_asked_together_with(budget):
    together = LocalModel(llama(), word_tokenizer(), budget).score(REQUESTS)
    one_by_one = LocalModel(llama(), word_tokenizer())
    for request, found in zip(REQUESTS, together, strict=True):
        [alone] = one_by_one.score([request])
        assert found.logprobs == pytest.approx(alone.logprobs, abs=1e-4)
        assert found.greedy == alone.greedy


@pytest.mark.parametrize("case", range(4), ids=["gpt2", "bloom", "mamba", "mistral"])
def test_models_that_ignore_the_mask_are_found_out_and_read_one_by_one(case):
    model, packs = list(others())[case]
    scorer = LocalModel(model, word_tokenizer())
    assert scorer.packs is packs
    assert farthest(scorer, REQUESTS) < 1e-4


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_both_kinds_of_attention(implementation):
    scorer = LocalModel(llama(attn_implementation=implementation), word_tokenizer())
    assert scorer.packs
    assert farthest(scorer, REQUESTS) < 1e-4


def test_an_adapter_is_scored_with_the_adapter():
    import peft

    plain = LocalModel(llama(), word_tokenizer()).score(REQUESTS)
    config = peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    scorer = LocalModel(peft.get_peft_model(llama(), config), word_tokenizer())
    assert scorer.packs
    assert farthest(scorer, REQUESTS) < 1e-4
    assert max(abs(a.total - b.total) for a, b in zip(plain, scorer.score(REQUESTS), strict=True)) > 0.1


def test_a_soft_prompt_is_read_one_by_one():
    import peft

    config = peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")
    scorer = LocalModel(peft.get_peft_model(llama(), config), word_tokenizer())
    assert not scorer.packs
    [found] = scorer.score([Request("the cat", " sat on")])
    [plain] = LocalModel(llama(), word_tokenizer()).score([Request("the cat", " sat on")])
    assert found.tokens == 2 and found.logprobs != pytest.approx(plain.logprobs, abs=1e-3)


def test_all_continuations_of_one_word_share_one_pass(monkeypatch):
    scorer = LocalModel(llama(), word_tokenizer())
    assert scorer.packs
    read = []
    forward = scorer.model.forward
    monkeypatch.setattr(scorer.model, "forward", lambda **kw: (read.append(kw["input_ids"].numel()), forward(**kw))[1])
    found = scorer.score([Request("the cat sat on a", f" {word}") for word in ("mat", "bed", "dog")])
    assert read == [5]
    assert sum(f.greedy for f in found) <= 1


def test_probabilities_of_all_next_words_add_up_to_one():
    import math

    scorer = LocalModel(llama(), word_tokenizer())
    found = scorer.score([Request("the cat", f" {word}") for word in [*WORDS, "<unk>", "<s>", "</s>"]])
    assert sum(math.exp(f.total) for f in found) == pytest.approx(1, abs=1e-5)
    assert sum(f.greedy for f in found) == 1


def test_the_first_token_of_a_text_is_put_in_front_where_the_tokenizer_does_so():
    [plain], [begun] = (encode(word_tokenizer(b), [Request("the cat", " sat")]) for b in (False, True))
    assert begun.ids == (1, *plain.ids) and begun.start == plain.start + 1
    [written] = encode(word_tokenizer(True), [Request("<s> the cat", " sat")])
    assert written.ids == begun.ids
    [empty] = encode(word_tokenizer(), [Request("", "the cat")])
    assert empty.ids[0] == 1 and empty.start == 1


def test_white_space_before_the_boundary_belongs_to_the_continuation(subwords):
    a, b = encode(subwords, [Request("ab ", "ab"), Request("ab", " ab")])
    assert a == b


def test_pieces_are_the_whole_unless_a_token_reaches_across_the_boundary(subwords):
    clean, across = encode(subwords, [Request("ab ab", " ab"), Request("ab ab", "b ab")])
    assert list(clean.ids) == subwords("ab ab ab", add_special_tokens=False)["input_ids"] and not clean.merged
    assert across.merged
    # As lm-eval: the context's own tokens, then what the whole has beyond their number.
    context, whole = (subwords(text, add_special_tokens=False)["input_ids"] for text in ("ab ab", "ab abb ab"))
    assert list(across.ids) == context + whole[len(context) :]


@pytest.fixture
def subwords():
    from tokenizers import Tokenizer, models, pre_tokenizers

    pieces = ["<unk>", "a", "b", "Ġ", "ab", "Ġab", "Ġabb"]
    merges = [("a", "b"), ("Ġ", "ab"), ("Ġab", "b")]
    inner = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", eos_token="<unk>")


def test_mistakes_are_told_in_one_line():
    scorer = LocalModel(llama(), word_tokenizer())
    with pytest.raises(UserError, match="adds no token"):
        scorer.score([Request("the cat", "")])
    with pytest.raises(UserError, match="70 tokens and the model reads 64"):
        scorer.score([Request("the " * 70, " cat")])
    with pytest.raises(UserError, match="no chat template"):
        scorer.chat([{"role": "user", "content": "the cat"}])


def test_nothing_asked_is_nothing_answered():
    assert LocalModel(llama(), word_tokenizer()).score([]) == []


def test_samples_do_not_depend_on_the_others_and_leave_the_generator_alone():
    scorer = LocalModel(llama(), word_tokenizer())
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    both = scorer.sample(["the cat", "a dog"], 8)
    assert scorer.sample(["the cat"], 8) == both[:1]
    assert torch.equal(state, torch.random.get_rng_state())


def test_importing_it_imports_no_torch():
    code = "import sys, gyges.models.likelihood.logprobs, gyges.propensities; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent).returncode == 0
