"""The theory, one behaviour per function: scalars in, scalar out; no arrays, no clock, no dice.

Modules follow the submodels of the ODD: `traits`, `matching`, `consortia`, `funding`, `projects`, `trust`,
`outcomes`, `learning`. Their docstrings are the submodel section of `docs/ODD.md`.
"""
