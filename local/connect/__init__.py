"""An emulated Amazon Connect: it records outbound emails instead of sending them, and fails on request.

It has four operations over HTTP, in the form that the AWS SDKs speak: StartOutboundEmailContact, CreateContact,
DescribeInstance and SearchEmailAddresses.
"""
