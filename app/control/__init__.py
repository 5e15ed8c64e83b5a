"""Control of the running program from outside: desktop shortcuts, scripts, `run.py ctl`."""
