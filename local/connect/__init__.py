"""An emulated Amazon Connect: it records outbound emails instead of sending them, and fails on request.

It has six operations over HTTP, in the form that the AWS SDKs speak: StartOutboundEmailContact, CreateContact,
StopContact, DescribeContact, DescribeInstance and SearchEmailAddresses.
"""
