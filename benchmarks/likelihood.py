"""How fast propensity items are scored, beside lm-eval's `loglikelihood` on the same requests, model and cores.

Both read the same folder in float32 and are timed without loading, after a warm-up, in turns. On a shared machine take
the best of several, and with one thread the processor's time too, which other work changes little. lm-eval gets each of
the batch sizes named, and its best time counts. The largest differences of a log-probability are printed beside the
times, and those of lm-eval with itself. lm-eval lives in an environment of its own, made once:

    python -m venv /tmp/lm-eval && /tmp/lm-eval/bin/pip install 'lm-eval[hf]==0.4.13'
    python benchmarks/likelihood.py --python /tmp/lm-eval/bin/python --items 12 --repeats 2
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Pair = tuple[str, str]
DEFAULT_FRAMES = ("plan", "question", "choice")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", required=True, help="the Python of an environment with lm-eval 0.4.13")
    parser.add_argument("--model", default="embedded/smollm2", help="a folder, or embedded/smollm2")
    parser.add_argument("--items", type=int, default=12, help="items of `conduct`, spread over its topics")
    parser.add_argument("--frames", nargs="+", default=list(DEFAULT_FRAMES), help="wordings, by name")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 32], help="lm-eval's batch sizes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args()
    folder = located(args.model)
    pairs = requests(folder, args.items, args.frames)
    print(
        f"{args.items} items, {len(pairs)} requests, {args.threads} threads, load {os.getloadavg()[0]:.1f}", flush=True
    )
    runs = [turn(args, folder, pairs) for _ in range(args.repeats)]
    report(args.items, runs)


def located(model: str) -> str:
    """The folder of a model."""
    from gyges.models.checkpoints import EMBEDDED, embedded_folder

    return str(embedded_folder()) if model == EMBEDDED else model


def requests(folder: str, n: int, frames: list[str]) -> list[Pair]:
    """What `Propensity` asks about n items: both actions, in all frames and orders, with and without the context."""
    from transformers import AutoTokenizer

    from gyges.propensities import load_items
    from gyges.propensities.frames import chosen
    from gyges.propensities.scoring import cases
    from gyges.propensities.scoring import requests as asked

    items, tokenizer = load_items("conduct").items, AutoTokenizer.from_pretrained(folder)
    spread = items[:: max(1, len(items) // n)][:n]
    chat = partial(tokenizer.apply_chat_template, tokenize=False, add_generation_prompt=True)
    model: Any = SimpleNamespace(chat=chat)  # of a model, requests need the chat template alone
    return [(r.context, r.continuation) for case in cases(spread, chosen(frames)) for r in asked(model, case)]


def turn(args: argparse.Namespace, folder: str, pairs: list[Pair]) -> dict[str, Any]:
    """Both sides once: seconds and log-probabilities of each."""
    ours = in_process(sys.executable, "gyges", folder, pairs, args.threads, 0)
    took("gyges", ours)
    theirs = []
    for batch in args.batch:
        theirs.append(in_process(args.python, "lm-eval", folder, pairs, args.threads, batch))
        took(f"lm-eval, batch {batch}", theirs[-1])
    return {"ours": ours, "theirs": theirs}


def took(who: str, run: dict[str, Any]) -> None:
    load = os.getloadavg()[0]
    print(f"{who:18} {run['seconds']:7.1f} s, {run['cpu']:7.1f} s of processor, load {load:.1f}", flush=True)


def report(items: int, runs: list[dict[str, Any]]) -> None:
    """Best times of the wall and of the processor, their ratios, and the largest differences of all runs."""
    ours, theirs = [run["ours"] for run in runs], [other for run in runs for other in run["theirs"]]
    for clock in ("seconds", "cpu"):
        best, other = (min(run[clock] for run in side) for side in (ours, theirs))
        rates = f"gyges {items / best:.2f} items/s ({best:.1f} s), lm-eval {items / other:.2f} ({other:.1f} s)"
        print(f"{clock:8}{rates}, ratio {other / best:.2f}")
    tell("gyges and lm-eval", ours[0], theirs)
    tell("lm-eval with different batch sizes", {**theirs[0], "tokens": ours[0]["tokens"]}, theirs)


def tell(what: str, one: dict[str, Any], others: list[dict[str, Any]]) -> None:
    """The largest difference of a log-probability, of a whole continuation and for each of its tokens."""
    gaps = [(abs(a - b), n) for o in others for a, b, n in zip(one["values"], o["values"], one["tokens"], strict=True)]
    whole, mean = max(gap for gap, _ in gaps), max(gap / n for gap, n in gaps)
    print(f"largest difference between {what}: {mean:.1e} nat a token, {whole:.1e} nat a continuation")


def in_process(python: str, side: str, folder: str, pairs: list[Pair], threads: int, batch: int) -> dict[str, Any]:
    """One side in a process of its own, so that neither finds the other's memory or threads."""
    with tempfile.TemporaryDirectory() as place:
        task, result = Path(place, "task.json"), Path(place, "result.json")
        task.write_text(
            json.dumps({"side": side, "folder": folder, "pairs": pairs, "threads": threads, "batch": batch})
        )
        env = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
        subprocess.run([python, __file__, str(task), str(result)], env=env, check=True, stderr=subprocess.DEVNULL)
        return json.loads(result.read_text())


def work(task: Path, result: Path) -> None:
    """In the process of one side: load, warm up, score, and write what came out."""
    import torch

    spec = json.loads(task.read_text())
    torch.set_num_threads(spec["threads"])
    score = {"gyges": gyges_scorer, "lm-eval": lm_eval_scorer}[spec["side"]](spec["folder"], spec["batch"])
    score(spec["pairs"][:4])
    start, busy = time.perf_counter(), time.process_time()
    found = score(spec["pairs"])
    clocks = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - busy}
    result.write_text(json.dumps({**clocks, **found}))


def gyges_scorer(folder: str, batch: int) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from gyges.models.likelihood.logprobs import LocalModel, Request

    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
    scorer = LocalModel(model, AutoTokenizer.from_pretrained(folder))

    def score(pairs: list[Pair]) -> dict[str, Any]:
        found = scorer.score([Request(*pair) for pair in pairs])
        return {"values": [f.total for f in found], "tokens": [f.tokens for f in found]}

    return score


def lm_eval_scorer(folder: str, batch: int) -> Any:
    from lm_eval.api.instance import Instance  # pyright: ignore[reportMissingImports]
    from lm_eval.models.huggingface import HFLM  # pyright: ignore[reportMissingImports]

    model = HFLM(pretrained=folder, dtype="float32", device="cpu", batch_size=batch)

    def score(pairs: list[Pair]) -> dict[str, Any]:
        asked = [Instance("loglikelihood", {}, tuple(pair), i) for i, pair in enumerate(pairs)]
        return {"values": [found[0] for found in model.loglikelihood(asked, disable_tqdm=True)]}

    return score


if __name__ == "__main__":
    work(Path(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) == 3 and sys.argv[1].endswith(".json") else main()
