"""The commands on the dead-letter queue, `courier dlq …`, one file each."""
