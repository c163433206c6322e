"""Values in words: durations, moments, names, labels, charts. The only place that makes foreign text safe."""
