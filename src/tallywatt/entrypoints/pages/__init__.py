"""What people see: templates, styles, a little script, and the view models behind them. No routes, no reading, no deciding."""
