"""An emulated Amazon Connect: records outbound emails instead of sending them, and fails when told to.

It has two operations, StartOutboundEmailContact and CreateContact, over HTTP in the form the AWS SDKs speak.
"""
