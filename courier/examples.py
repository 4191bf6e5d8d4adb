"""An example or two for each command: they stand at the end of its help."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "send": ("send replies.jsonl --token-prefix batch-2026-11-22", "send - --token order-4711"),
    "check": ("check replies.jsonl", "check - --json"),
    "status": ("status", "status --watch"),
    "pause": ("pause",),
    "resume": ("resume",),
    "trace": ("trace 5f0c9a1e-8f0b-4f0e-9d55-3e8a0d1c2b7a", "trace order-4711 --since 2d"),
    "doctor": ("doctor", "doctor --send-test c0ffee00-0000-4711 me@example.com"),
    "dlq list": ("dlq list", "dlq list --reason NotFound --newer-than 12h --details"),
    "dlq groups": ("dlq groups", "dlq groups --older-than 5d"),
    "dlq show": ("dlq show 2f31e353-54e7-4749-890e-5b7b09f3216f",),
    "dlq replay": (
        "dlq replay --reason NotFound --dry-run",
        "dlq replay --reason RetriesExhausted --rate 2",
        "dlq replay --all --canary 5 --wait",
    ),
    "dlq edit": ("dlq edit 2f31e353-54e7-4749-890e-5b7b09f3216f",),
    "dlq discard": ('dlq discard --reason InvalidReply --because "sent by hand"',),
    "dlq renew": ("dlq renew", "dlq renew --older-than 10d"),
    "dlq export": ("dlq export letters.jsonl --reason NotFound",),
    "dlq import": ("dlq import letters.jsonl",),
}


def epilog(name: str) -> str | None:
    """The end of a command's help; the mark keeps the lines apart."""
    if name not in EXAMPLES:
        return None
    return "\b\nExamples:\n" + "\n".join(f"  courier {example}" for example in EXAMPLES[name])
