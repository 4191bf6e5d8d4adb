"""What is on the queues: dead letters, the messages that are sent, and how things stand."""
