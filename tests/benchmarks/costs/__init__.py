"""What a turn costs: CPU, time and input price, each beside its peers in one run.

    python -m tests.benchmarks.costs
    python -m tests.benchmarks.costs --quick --only chunk seam

Every figure is to be read beside the others of the same run: on another machine, or
beside other work, they all change; the ratios change little. The model is an endpoint
in another process, so all CPU counted here is the caller's.
"""
