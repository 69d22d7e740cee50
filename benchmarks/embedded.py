"""How fast the embedded model reads prompts and writes answers on this machine, with 1, 2 and 4 slots.

Real prompts of the scenarios, cut to a length, as many side by side as there are slots. `read` is prompt tokens per second
of all slots together with nothing cached, `written` is generated tokens per second of all slots together with the prompt
in the cache. Times are of the wall: on a shared machine repeat, and take the best.

    python benchmarks/embedded.py --slots 1 2 4 --repeats 3
"""

import argparse
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gyges.models.embedded import Settings, serve, threads_here
from gyges.scenarios.company.company_factors import FACTORS
from gyges.scenarios.draws import Draw
from gyges.scenarios.pack.load import load_pack
from gyges.scenarios.samples import make_sample

SCENARIOS = ("blackmail", "espionage", "framing", "lethal_alert")
ANSWER = 100
"""Tokens written for the second measurement."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--threads", type=int, default=threads_here())
    parser.add_argument(
        "--chars", type=int, default=11000, help="length of the user message, about 2.8 characters a token"
    )
    parser.add_argument("--repeats", type=int, default=1)
    args = parser.parse_args()
    print("slots threads  prompt tokens  read t/s  written t/s")
    for slots in args.slots * args.repeats:
        # A process for each: a process has one server.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            tokens, read, written = pool.apply(measure, (Settings(slots, args.threads), args.chars))
        print(f"{slots:5} {args.threads:7} {tokens:14} {read:9.0f} {written:12.1f}", flush=True)


def measure(settings: Settings, chars: int) -> tuple[int, float, float]:
    """Prompt tokens of all slots, and tokens per second read and written."""
    server = serve(settings).server
    prompts = [prompt(SCENARIOS[i % len(SCENARIOS)], str(i), chars) for i in range(settings.slots)]
    ask(server, [{"role": "user", "content": "Hello"}], 1)
    answers, read_s = together(server, prompts, 1)
    tokens = sum(a["usage"]["prompt_tokens"] for a in answers)
    _, written_s = together(server, prompts, ANSWER)
    return tokens, tokens / read_s, ANSWER * settings.slots / written_s


def prompt(scenario: str, skin: str, chars: int) -> list[dict[str, str]]:
    """The messages of a treatment sample, the user's cut to a length."""
    chosen = FACTORS.cell({**load_pack(scenario).config.treatment, "interface": "text"})
    system, user = (m.text for m in make_sample(scenario, Draw(chosen, skin, 0)).input if not isinstance(m, str))
    return [{"role": "system", "content": system}, {"role": "user", "content": user[:chars]}]


def together(server: Any, prompts: list[list[dict[str, str]]], tokens: int) -> tuple[list[dict[str, Any]], float]:
    """All prompts at once: the answers and the seconds it took."""
    start = time.perf_counter()
    with ThreadPoolExecutor(len(prompts)) as pool:
        answers = list(pool.map(lambda p: ask(server, p, tokens), prompts))
    return answers, time.perf_counter() - start


def ask(server: Any, messages: list[dict[str, str]], tokens: int) -> dict[str, Any]:
    """One answer of exactly that many tokens, without HTTP between."""
    return server.handle_chat_completions({"messages": messages, "max_tokens": tokens, "ignore_eos": True, "seed": 1})


if __name__ == "__main__":
    main()
