"""Control of the running program from outside: keys of the desktop, scripts, `run.py ctl`."""
