"""`courier doctor`: checks what AWS says of the deployment, and suggests fixes."""
