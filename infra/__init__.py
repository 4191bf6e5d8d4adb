"""The construct ReplyCourier, its stack, and the bundle that they deploy."""
