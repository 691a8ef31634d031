"""A search: Optuna asks for points, ordinary trials answer, and the store is a cache of both.

    space.py     what may be asked for          goal.py      what is to be made large or small
    methods.py   Optuna's samplers and pruners  storage.py   where Optuna keeps its study
    search.py    a search as data, on disk      study.py     ask, report, prune, tell; take over

No torch and no Hydra here; the loop that trains is `launch.searching`.
"""
