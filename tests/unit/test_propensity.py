"""Items, frames and the step: what is asked, what is refused, and that a planted preference is found."""

import json
import re
import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gyges.errors import UserError
from gyges.models.likelihood.logprobs import Likelihood
from gyges.propensities import Frame, Propensity, load_items
from gyges.propensities.frames import FRAMES, chosen
from gyges.propensities.guard import beginning, degenerate, load_texts
from gyges.propensities.scoring import cases, requests, score
from gyges.propensities.shifts import item_scores, read_rows
from gyges.studies.step import Resources

DIGEST = "0cff74774a035ac83c3098179e45908cc8538bea8d1d5d38a1366908ebb2ebd2"
"""The frozen set. Another word is another set: give it another name rather than another digest."""

CONDUCT = load_items("conduct")
ITEM = {"id": "a", "context": "I am here.", "harmless": "wait for you", "harmful": "go away now", "topic": "t"}


def words(text):
    return re.findall(r"[a-z'-]+", text.lower())


def tagged(tag):
    return [item for item in CONDUCT.items if tag in item.tags]


# --- the item set ----------------------------------------------------------------------------------------------------


def test_the_set_is_the_frozen_one():
    assert CONDUCT.digest == DIGEST


def test_it_is_large_broad_and_half_of_it_far_from_an_office():
    topics = Counter(item.topic for item in CONDUCT.items)
    assert len(CONDUCT.items) >= 120 and len(topics) >= 8 and min(topics.values()) >= 10
    assert len(tagged("office")) == len(tagged("elsewhere")) == len(CONDUCT.items) / 2


def test_harm_is_done_in_half_of_each_topic_and_let_happen_in_the_other():
    for topic in {item.topic for item in CONDUCT.items}:
        kinds = Counter(tag for item in CONDUCT.items if item.topic == topic for tag in item.tags)
        assert kinds["by acting"] == kinds["by leaving"]


def test_both_actions_are_equally_long():
    for tag in ("by acting", "by leaving", "office", "elsewhere"):
        gaps = [len(words(item.harmless)) - len(words(item.harmful)) for item in tagged(tag)]
        assert abs(statistics.mean(gaps)) < 0.2 and max(map(abs, gaps)) <= 3


def test_no_single_word_tells_which_action_is_harmful():
    counts = {
        kind: Counter(w for i in CONDUCT.items for w in set(words(getattr(i, kind))))
        for kind in ("harmless", "harmful")
    }
    gaps = {w: counts["harmless"][w] - counts["harmful"][w] for w in counts["harmless"] | counts["harmful"]}
    assert max(map(abs, gaps.values())) <= 0.1 * len(CONDUCT.items)


def test_words_together_do_not_tell_it_on_topics_they_were_not_counted_on():
    """Naive Bayes on words, each topic judged from the others: near the toss of a coin."""
    import math

    def hits(topic):
        train = [item for item in CONDUCT.items if item.topic != topic]
        good, bad = (
            Counter(w for i in train for w in set(words(getattr(i, kind)))) for kind in ("harmless", "harmful")
        )
        weight = {w: math.log((good[w] + 1) / (bad[w] + 1)) for w in good | bad}
        for item in CONDUCT.items:
            if item.topic == topic:
                left, right = (sum(weight.get(w, 0) for w in set(words(t))) for t in (item.harmless, item.harmful))
                yield 0.5 if left == right else float(left > right)

    found = [hit for topic in {item.topic for item in CONDUCT.items} for hit in hits(topic)]
    assert 0.35 < statistics.mean(found) < 0.65


def test_ids_name_their_topic_and_actions_fit_the_frames():
    for item in CONDUCT.items:
        assert item.id.startswith(item.topic)
        assert item.context.endswith((".", "?"))
        assert not re.search(r"[.{}]|^[A-Z]", item.harmless + item.harmful)


# --- files of one's own ----------------------------------------------------------------------------------------------


def file(tmp_path, *lines):
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return str(path)


@pytest.mark.parametrize(
    "line, told",
    [
        ("{", r"own\.jsonl:2: not JSON"),
        ("[1]", r"own\.jsonl:2: the object: "),
        ({k: v for k, v in ITEM.items() if k != "harmful"}, r"own\.jsonl:2: harmful: field required"),
        ({**ITEM, "harmful": "  "}, r"own\.jsonl:2: harmful: "),
        ({**ITEM, "extra": 1}, r"own\.jsonl:2: extra: "),
        ({**ITEM, "harmful": ITEM["harmless"]}, r"own\.jsonl:2: harmless and harmful are the same"),
        (ITEM, r"own\.jsonl: the id 'a' occurs twice"),
    ],
)
def test_a_mistake_in_a_file_names_the_file_and_the_line(tmp_path, line, told):
    with pytest.raises(UserError, match=told) as error:
        load_items(file(tmp_path, ITEM, line))
    assert "\n" not in str(error.value)


def test_no_file_no_item_no_text(tmp_path):
    for load in (load_items, load_texts):
        with pytest.raises(UserError, match="there is no file"):
            load(str(tmp_path / "none.jsonl"))
        with pytest.raises(UserError, match="holds no"):
            load(file(tmp_path, ""))
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}')
    with pytest.raises(UserError, match="UTF-8"):
        load_items(str(tmp_path / "latin.jsonl"))


def test_the_digest_is_that_of_the_words_not_of_the_line_ends(tmp_path):
    unix, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    unix.write_bytes(json.dumps(ITEM).encode() + b"\n")
    other.write_bytes(json.dumps(ITEM).encode() + b"\r\n")
    assert load_items(str(unix)).digest == load_items(str(other)).digest


# --- frames ----------------------------------------------------------------------------------------------------------


def test_a_frame_that_names_the_actions_is_put_in_both_orders():
    assert [len(FRAMES[name].orders) for name in ("plan", "question", "choice", "either")] == [1, 1, 2, 2]
    item = CONDUCT.items[0]
    first, second = (FRAMES["choice"].put(item, order, item.context) for order in FRAMES["choice"].orders)
    assert first.index(item.harmless) < first.index(item.harmful)
    assert second.index(item.harmful) < second.index(item.harmless)


def test_every_frame_begins_with_the_context_and_reads_well_without_it():
    item = CONDUCT.items[0]
    for frame in FRAMES.values():
        for order in frame.orders:
            assert frame.put(item, order, item.context).startswith(item.context)
            assert frame.put(item, order, "")[:1].isupper()


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: chosen(["planned"]), "no frame 'planned'"),
        (lambda: chosen([]), "needs frames"),
        (lambda: chosen(["plan", "plan"]), "needs frames"),
        (lambda: Frame(name="x", text="{contxt}"), "unknown"),
        (lambda: Frame(name="x", text="no field"), "leaves something out"),
        (lambda: Frame(name="x", text="{context} {first}"), "leaves something out"),
    ],
)
def test_mistakes_in_frames_are_told_in_one_line(make, told):
    with pytest.raises(UserError, match=told):
        make()


# --- scoring ---------------------------------------------------------------------------------------------------------


class Planted:
    """A model whose words cost 1 nat each, and the harmful actions of some items 2 more."""

    def __init__(self, items):
        self.harmful = {f" {item.harmful}" for item in items}

    def score(self, asked):
        return [self.likelihood(request.continuation) for request in asked]

    def likelihood(self, text):
        harmful = text in self.harmful
        return Likelihood((-1.0 - 2.0 * harmful, *[-1.0] * (len(text.split()) - 1)), greedy=not harmful)

    def chat(self, messages):
        return f"<user>{messages[0]['content']}<assistant>"


def planted(items) -> Any:
    return Planted(items)


def test_a_planted_preference_is_found_in_every_item():
    items = CONDUCT.items[:6]
    rows = score(planted(items), items, chosen(["plan", "choice", "chat"]))
    assert len(rows) == 6 * 4
    found = item_scores(rows)
    assert found.ids == tuple(item.id for item in items)
    lengths = [len(item.harmless.split()) - len(item.harmful.split()) for item in items]
    assert found.values[:, 1] == pytest.approx([2 - gap for gap in lengths])
    assert found.values[:, 2:] == pytest.approx(0)  # the same without the context: nothing but wording


def test_a_chat_is_rendered_and_its_answer_begun():
    [case] = cases(CONDUCT.items[:1], chosen(["chat"]))
    asked = requests(planted([]), case)
    assert asked[0].context.endswith("<assistant>I will")
    assert [r.continuation for r in asked[:2]] == [f" {case.item.harmless}", f" {case.item.harmful}"]


def test_what_is_degenerate():
    assert degenerate("") and degenerate(" \n ")
    assert degenerate("and then " * 20)
    assert not degenerate("The river turns north and reaches the plain near an old bridge.")
    assert not degenerate("Yes.")
    assert beginning("one two three four five six") == "one two"


# --- the step --------------------------------------------------------------------------------------------------------


@dataclass
class Here:
    """All that this step asks of a running study."""

    resources: Resources = field(default_factory=Resources)
    trackers: tuple[str, ...] = ()

    def say(self, text):
        pass


HERE: Any = Here()


@pytest.fixture
def small(tmp_path):
    """A model of a closed vocabulary in a folder, with items, held-out texts and a frame in its own words."""
    from test_likelihood import llama, word_tokenizer

    llama().save_pretrained(tmp_path / "model")
    word_tokenizer().save_pretrained(tmp_path / "model")
    item = {"context": "the cat sat on a mat .", "harmless": "slept", "harmful": "ran far away", "topic": "cats"}
    items = tmp_path / "items.jsonl"
    items.write_text(
        "".join(json.dumps({**item, "id": str(i), "context": "the cat sat " * (i + 1)}) + "\n" for i in range(3))
    )
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"id": "t", "text": "a dog lay on the bed and then it ran far away"}) + "\n")
    frames = (
        Frame(name="bare", text="{context}"),
        Frame(name="both", text="{context} {first} , {second} .", lead=" I will"),
    )
    return Propensity(model=str(tmp_path / "model"), items=str(items), texts=str(texts), frames=frames)


def changed(step, **fields):
    return Propensity(**{**{name: getattr(step, name) for name in Propensity.model_fields}, **fields})


def test_the_step_writes_rows_guard_and_summary_and_the_same_again(small, tmp_path):
    outs = [tmp_path / "a", tmp_path / "b"]
    for out in outs:
        out.mkdir()
        small.run(out, HERE)
    for name in ("rows.parquet", "guard.parquet", "summary.json"):
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes()
    rows, summary = read_rows(outs[0] / "rows.parquet"), json.loads((outs[0] / "summary.json").read_text())
    assert [(row["id"], row["frame"], row["order"]) for row in rows[:3]] == [
        ("0", "bare", "single"), ("0", "both", "harmless first"), ("0", "both", "harmful first")
    ]  # fmt: skip
    assert summary["items"] == {"n": 3, "digest": load_items(small.items).digest}
    assert summary["merged"] == 0 and summary["level"]["items"] == 3 and summary["guard"]["loss"] > 0


def test_the_key_follows_the_words_and_not_the_places(small, tmp_path):
    moved = tmp_path / "moved.jsonl"
    moved.write_bytes(Path(small.items).read_bytes())
    assert changed(small, items=str(moved)).key == small.key
    moved.write_text(moved.read_text().replace("far away", "away"))
    assert changed(small, items=str(moved)).key != small.key
    assert changed(small, frames=("plan",)).key != small.key
    assert changed(small, server="http://127.0.0.1:1/v1").key != small.key
    assert (small.expected().tokens or 0) > 0


def test_a_model_without_a_chat_template_is_asked_in_plain_text_only(small, tmp_path):
    with pytest.raises(UserError, match="no chat template"):
        changed(small, frames=("chat",)).run(tmp_path, HERE)


def test_a_server_is_asked_for_a_model_by_name(small):
    with pytest.raises(UserError, match="named by a step"):
        Propensity(model=small, server="http://127.0.0.1:1/v1").content()
