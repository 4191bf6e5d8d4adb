"""An emulated Amazon Connect: records outbound emails instead of sending them, and fails when told to.

It has four operations over HTTP in the form the AWS SDKs speak: StartOutboundEmailContact, CreateContact,
DescribeInstance and SearchEmailAddresses.
"""
