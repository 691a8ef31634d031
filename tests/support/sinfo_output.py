"""The partitions of a cluster as sinfo of Slurm 22.05 printed them."""

from clip_hparam.launch.slurm.cluster.partitions import parse_node_groups

SINFO_LINES = """\
main*|up|infinite|1-infinite|1|8|32000|gpu:2|v100,rack1
main*|up|infinite|1-infinite|1|8|32000|gpu:2|a100,rack1
main*|up|infinite|1-infinite|1|16|64000|(null)|cpu,rack2
debug|up|30:00|1|1|8|32000|gpu:2|v100,rack1
gpu|up|2-00:00:00|1-infinite|1|8|32000|gpu:2|v100,rack1
gpu|up|2-00:00:00|1-infinite|1|8|32000|gpu:2|a100,rack1
cpu|up|infinite|1-infinite|1|16|64000|(null)|cpu,rack2
maint|down|infinite|1-infinite|1|8|32000|gpu:2|a100,rack1
old|inactive|infinite|1-infinite|1|16|64000|(null)|cpu,rack2
empty|up|infinite|1-infinite|0|0|0|(null)|(null)
""".splitlines()
NODE_GROUPS = parse_node_groups(SINFO_LINES)
ACCOUNT_LINES = ["vision||few,normal,short", "nlp||normal", "nlp|gpu|"]
"""Of sacctmgr: account, partition, QOS."""
