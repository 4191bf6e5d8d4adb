"""Every state of a reply: the shipped function and `courier`, against every answer of SQS and Connect."""
