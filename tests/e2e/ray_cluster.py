"""A Ray cluster of two nodes on this machine, for ray_test.py; the second is twice the first, and GPUs are only counted. Prints
its address; then each line on stdin is an order: `lose` kills the second node, the end of stdin all."""

import sys

from ray.cluster_utils import Cluster

MEMORY = {"object_store_memory": 100 * 2**20}

cluster = Cluster(initialize_head=True, head_node_args=MEMORY | {"num_cpus": 1, "num_gpus": 1, "include_dashboard": False})
second = cluster.add_node(num_cpus=2, num_gpus=2, **MEMORY)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for order in sys.stdin:
    if order.strip() == "lose":
        cluster.remove_node(second, allow_graceful=False)
        print("lost", flush=True)
cluster.shutdown()
