"""Sound programs of many kinds whose hyper-parameters were tuned: on them no remedy should be called proven."""
