"""Numbers from plain rows: rates, differences, intervals, sample sizes. Nothing here knows where the rows come from."""
