"""What the stack tells its operators: metrics, alarms, dashboard."""
