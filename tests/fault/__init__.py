"""Every effect and every fault: what is lost, doubled, reordered or only half done costs time and nothing else."""
