"""An emulated Amazon Connect: sends outbound email contacts nowhere, remembers them, and fails when it is told to.

It knows two operations, StartOutboundEmailContact and CreateContact, over HTTP in the form the AWS SDKs speak.
"""
