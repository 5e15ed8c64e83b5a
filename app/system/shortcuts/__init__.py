"""Global shortcuts: keys that work while another program has the focus."""
