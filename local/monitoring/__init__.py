"""What moto's CloudFormation leaves out of a stack's monitoring."""
