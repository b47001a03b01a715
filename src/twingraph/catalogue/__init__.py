"""What a release offers, for harvesters: pure functions from its manifest to graphs and documents."""
