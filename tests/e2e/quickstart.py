"""Shows at work, on real mail, what Sesame predicts and what happens: `contrib/quickstart` ends with this."""

import argparse
import sys
import textwrap

import postfix
import scenarios
from world import Interrupted, World

WIDTH = 118
SHOWN = "dkim-cname-missing"  # the message with this cause is explained at the end
COLUMNS = ((40, "message"), (22, "Sesame"), (44, "what happened"))


def show(results):
    print()
    print(line([name for _, name in COLUMNS], "agree"))
    print("-" * WIDTH)
    for result in results:
        cells = [textwrap.wrap(text, width, break_on_hyphens=False) or [""] for (width, _), text in
                 zip(COLUMNS, (result.title, result.prediction, result.reality))]
        for row in range(max(map(len, cells))):
            texts = [cell[row] if row < len(cell) else "" for cell in cells]
            print(line(texts, ("yes" if result.agree else "NO") if row == 0 else ""))
        print(paragraph("    why: ", result.why or "-"))
        for each in result.disagreements:
            print(paragraph("    !!!! ", each))
        print()


def paragraph(first, text):
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False)


def line(texts, last):
    return "  ".join([text.ljust(width) for (width, _), text in zip(COLUMNS, texts)] + [last]).rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", help="the build directory")
    options = parser.parse_args()
    why_not = postfix.missing()
    if why_not:
        print(f"quickstart: {why_not}", file=sys.stderr)
        return 2
    print("Starting a private DNS, two Postfixes, two Sesames and a simulated Amazon SES on loopback ...", flush=True)
    try:
        with World(options.build) as world:
            results = scenarios.Run(world).all()
            newest = [row["queue_id"] for row in world.history() if row["code"] == SHOWN]
            asked = [(words, world.sesame(*words)) for words in (("report",), ("explain", newest[0]))]
    except Interrupted as reason:
        print(f"quickstart: ended by {reason}", file=sys.stderr)
        return 130
    show(results)
    for result in results:
        for each in result.evidence:
            print(paragraph(f"[{result.name}] ", each) if len(each) > 100 else f"[{result.name}] {each}".rstrip())
    for words, answer in asked:
        print(f"\n$ sesame {' '.join(words)}\n{answer.rstrip()}")
    agree = sum(result.agree for result in results)
    print(f"\n{len(results)} messages, {agree} agree")
    return 0 if agree == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
