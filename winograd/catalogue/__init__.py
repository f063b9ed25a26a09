"""The catalogue of best known algorithms: data that `winograd-error catalogue --regenerate` makes, and its readers."""
