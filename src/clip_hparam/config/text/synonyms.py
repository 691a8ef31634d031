"""Names that other tools have for our knobs; the message about an unknown key uses them."""

import re
from collections.abc import Iterable

from clip_hparam.config.knob import close_names

SYNONYMS: dict[str, tuple[str, ...]] = {
    "lr": ("learningrate", "baselr", "peaklr", "maxlr", "initlr", "blr", "eta", "stepsize"),
    "min_lr": ("lrmin", "etamin", "finallr", "minlearningrate", "endlr"),
    "warmup": ("warmupepochs", "warmupsteps", "warmupratio", "warmupfraction", "warmuplength"),
    "layer_decay": ("llrd", "lrdecay", "layerwisedecay", "layerwiselrdecay", "layerlrdecay"),
    "weight_decay": ("wd", "weightdecay", "l2", "adamwwd"),
    "beta1": ("momentum", "b1", "adambeta1"),
    "beta2": ("b2", "adambeta2"),
    "eps": ("epsilon", "adamepsilon", "opteps"),
    "clip_grad": ("gradclip", "clipgradnorm", "maxgradnorm", "gradclipnorm", "gradientclipping"),
    "batch_size": ("bs", "batch", "batchsize", "trainbatchsize", "minibatch", "bsz"),
    "epochs": ("numepochs", "nepochs", "maxepochs", "epoch", "ep", "numtrainepochs"),
    "ema_decay": ("ema", "modelema", "modelemadecay", "emamomentum", "polyak", "swadecay"),
    "pool": ("pooling", "globalpool", "poolingtype"),
    "freeze": ("frozen", "freezelayers", "lockimage", "unfreeze"),
    "drop_path": ("dp", "droppath", "droppathrate", "stochasticdepth", "dropout", "droprate"),
    "tune": ("peft", "finetune", "adapter", "tuning"),
    "lora_rank": ("lorar", "rank"),
    "lora_alpha": ("lorascale", "loraalpha"),
    "head_init": ("headinitialization", "zeroshotinit", "lpft"),
    "probe_l2": ("probedecay", "probewd", "probec"),
    "logit_scale": ("temperature", "logitscale"),
    "head_init_scale": ("headscale", "initscale", "headinitstd"),
    "resolution": ("imgsize", "imagesize", "inputsize", "res", "imsize", "px"),
    "crop_scale": ("scale", "rrcscale", "mincrop", "cropsize", "mincropscale"),
    "hflip": ("flip", "horizontalflip", "fliprate", "flipprob"),
    "rand_augment": ("randaug", "randaugment", "aa", "autoaugment", "ra", "augment", "aug"),
    "color_jitter": ("colourjitter", "jitter", "cj"),
    "random_erasing": ("reprob", "erasing", "randomerase", "randerase", "cutout"),
    "mixup": ("mixupalpha", "mix"),
    "cutmix": ("cutmixalpha",),
    "label_smoothing": ("ls", "smoothing", "labelsmooth", "smooth"),
    "interpolation": ("traininterpolation", "resample"),
    "precision": ("amp", "dtype", "fp16", "bf16", "mixedprecision", "autocast"),
    "seed": ("randomseed", "rngseed", "manualseed"),
    "seeds": ("nseeds", "numseeds", "replicates", "repeats", "runs_per_cell"),
    "encoder.name": ("model", "arch", "architecture", "modelname", "backbone", "network", "net"),
    "encoder.pretrained": ("pretrained", "checkpoint", "ckpt", "weights", "init", "resume"),
    "data.name": ("dataset", "datasetname"),
    "data.root": ("datadir", "datapath", "root", "datasetdir", "imagedir", "path", "dataroot"),
    "data.subset": ("classes", "classlist", "classsubset", "imagenet100", "in100"),
    "data.shots": ("shots", "nshots", "kshot", "fewshot", "imagesperclass", "shot"),
    "data.selection": ("val", "valsize", "valfraction", "validation", "valsplit", "holdout"),
    "data.epoch_images": ("epochsize", "samplesperepoch", "trainnumsamples"),
    "machine.runs": ("outputdir", "outdir", "savedir", "logdir", "output", "workdir"),
    "machine.device": ("gpu", "cuda", "accelerator"),
    "machine.loader_workers": ("numworkers", "nworkers", "dataloaderworkers"),
    "machine.micro_batch": ("gradaccum", "accumsteps", "gradientaccumulationsteps", "microbatch"),
    "workers": ("njobs", "parallel", "jobs", "nproc"),
    "budget": ("maxtime", "timelimit", "timeout"),
    "dry_run": ("dryrun", "plan", "preview"),
    "keep_checkpoints": ("savecheckpoints", "savemodel", "savecheckpoint", "saveweights", "save"),
    "tracker": ("trackers", "logger", "loggers", "reportto", "logto", "usewandb"),
    "gpus_per_trial": ("ngpus", "gpus", "numgpus", "worldsize"),
}
"""Known names by knob, in lower case and without separators."""
SEVERAL = {
    "decay": ("weight_decay", "layer_decay", "ema_decay"),
    "augmentation": ("rand_augment", "mixup", "augment_backend"),
    "betas": ("beta1", "beta2"),
}
"""Names that may mean each of several knobs."""
LOSS = (
    "the loss is cross-entropy, which label_smoothing, mixup and cutmix change; docs/methods.md"
    " says why there is no loss=contrastive (FLYP)"
)
ABSENT = dict.fromkeys(("loss", "lossfn", "lossname", "criterion", "contrastive", "flyp"), LOSS)
"""Names of what is no knob, with what there is instead."""


def suggest_key(name: str, known: Iterable[str]) -> str:
    """Return the end of the sentence about an unknown key: the keys that may be meant.

    known: all legal keys, dotted.
    """
    if _plain(name) in ABSENT:
        return ABSENT[_plain(name)]
    names = sorted(known)
    meant = _same_key(name, names) or close_names(name, names) or _of_its_node(name, names)
    return f"did you mean {' or '.join(meant)}?" if meant else "--help lists the knobs"


def _same_key(name: str, known: list[str]) -> list[str]:
    """Return the keys that have `name`, or its last part, as another spelling or a synonym."""
    for text in (name, re.split(r"[./]", name)[-1]):
        plain = _plain(text)
        leaf = [key for key in known if _plain(key) == plain or _plain(_leaf(key)) == plain]
        synonyms = [key for key, others in SYNONYMS.items() if plain in map(_plain, others)]
        found = leaf or [key for key in (*synonyms, *SEVERAL.get(plain, ())) if key in known]
        if found:
            return found
    return []


def _of_its_node(name: str, known: list[str]) -> list[str]:
    """Return all keys of the node that `name` names, such as those of machine for machine.x."""
    node, dot, leaf = name.rpartition(".")
    if not dot:
        return []
    return close_names(leaf, [key for key in known if "." not in key]) or [
        key for key in known if key.startswith(f"{node}.")
    ]


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


def _plain(name: str) -> str:
    return re.sub(r"[-_. ]", "", name).lower()
