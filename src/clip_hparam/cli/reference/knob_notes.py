"""Effect and source of each knob of a recipe.

A13 is a point of docs/spec.md, D9 a difference of docs/deviations.md. Links are of docs/reference.
"""

from typing import NamedTuple


class KnobNote(NamedTuple):
    """effect: of a change on training, one sentence. source: where the knob is from."""

    effect: str
    source: str


ADAMW = "AdamW, [arXiv 1711.05101](https://arxiv.org/abs/1711.05101)"
FT_CLIP = "FT-CLIP, [arXiv 2212.06138](https://arxiv.org/abs/2212.06138)"
CLIP = "CLIP, [arXiv 2103.00020](https://arxiv.org/abs/2103.00020)"
LORA = "[arXiv 2106.09685](https://arxiv.org/abs/2106.09685)"
LP_FT = "LP-FT, [arXiv 2202.10054](https://arxiv.org/abs/2202.10054)"
OURS = "this project"
RUN = "[the official run](../spec.md)"

NOTES: dict[str, KnobNote] = {
    "lr": KnobNote(
        "Too small a value does not finish learning in the given epochs, too large a value destroys"
        " the pretrained features or diverges; with layer_decay below 1 only the head has it.",
        f"{FT_CLIP}; A13 and A27 of {RUN}",
    ),
    "min_lr": KnobNote(
        "A larger value keeps the weights moving at the end of the run.",
        f"cosine schedule, [arXiv 1608.03983](https://arxiv.org/abs/1608.03983); A23, A24 of {RUN}",
    ),
    "warmup": KnobNote(
        "A longer warm-up permits a larger peak and leaves fewer steps at it.",
        f"[arXiv 1706.02677](https://arxiv.org/abs/1706.02677); A23 of {RUN}",
    ),
    "layer_decay": KnobNote(
        "A smaller value moves the early layers less, and keeps more of the pretrained features;"
        " 1 gives all layers the lr of the head.",
        "ULMFiT, [arXiv 1801.06146](https://arxiv.org/abs/1801.06146); BEiT, [arXiv"
        f" 2106.08254](https://arxiv.org/abs/2106.08254); A11 of {RUN}",
    ),
    "weight_decay": KnobNote(
        "A larger value pulls the matrices to 0; each step takes lr x weight_decay of them away.",
        f"{ADAMW}; A14, A26 of {RUN}",
    ),
    "beta1": KnobNote(
        "A larger value averages the gradient over more steps.",
        f"{ADAMW}; A17 of {RUN}",
    ),
    "beta2": KnobNote(
        "A larger value averages the squared gradient, the scale of a step, over more steps.",
        f"{ADAMW}; A17 of {RUN}",
    ),
    "eps": KnobNote(
        "A larger value shortens the steps of weights with small gradients.",
        f"{ADAMW}; A17 of {RUN}",
    ),
    "clip_grad": KnobNote(
        "A smaller value limits more steps; 0 limits none.",
        f"[arXiv 1211.5063](https://arxiv.org/abs/1211.5063); off in {RUN}, A20",
    ),
    "batch_size": KnobNote(
        "A larger value gives fewer and less noisy steps an epoch; lr is not scaled with it.",
        f"A27, A42 of {RUN}",
    ),
    "epochs": KnobNote(
        "More epochs cost proportionally more time, and stretch the warm-up and the cosine.",
        f"{FT_CLIP}, rung fewer_epochs of [the ladder](../ladder.md)",
    ),
    "ema_decay": KnobNote(
        "A value nearer to 1 averages over more steps: half of an average is of the last"
        " ln 2 / (1 - ema_decay) steps. In a run that is shorter than that the average stays near"
        " the pretrained weights.",
        "averages of weights, [arXiv 1803.05407](https://arxiv.org/abs/1803.05407);"
        f" A28 to A30 of {RUN}",
    ),
    "pool": KnobNote(
        "Chooses the features of the head: the mean of the patch tokens, the class token, or CLIP's"
        " projected embedding of length 1.",
        f"patch_mean: {FT_CLIP}, A2 and A3; clip: {CLIP}",
    ),
    "freeze": KnobNote(
        "Frozen layers keep the pretrained values, cost no memory for moments, and backbone trains"
        " the head alone (a linear probe).",
        f"A5 of {RUN} for patch",
    ),
    "tune": KnobNote(
        "bias and lora train far fewer parameters than full, each at its own best lr.",
        f"lora: {LORA}; bias: BitFit, [arXiv 2106.10199](https://arxiv.org/abs/2106.10199)",
    ),
    "lora_rank": KnobNote(
        "A larger rank permits updates that are less restricted; only with tune=lora.", LORA
    ),
    "lora_alpha": KnobNote(
        "A larger value makes the same update count more, like a larger lr of the updates; only"
        " with tune=lora.",
        LORA,
    ),
    "drop_path": KnobNote(
        "A larger value leaves out more residual branches in training, which regularises and slows"
        " learning down.",
        "[arXiv 1603.09382](https://arxiv.org/abs/1603.09382); [D8](../deviations.md)",
    ),
    "head_init": KnobNote(
        "zero_shot and linear_probe start at a head that classifies already, so that the first"
        " steps disturb the encoder less.",
        f"random: A4 of {RUN}; linear_probe: {LP_FT}; zero_shot: {CLIP}",
    ),
    "head_init_scale": KnobNote(
        "A smaller value starts nearer to equal probabilities of all classes.",
        f"A4 of {RUN}",
    ),
    "probe_l2": KnobNote(
        "A larger value gives a smaller first head; only with head_init=linear_probe.", LP_FT
    ),
    "logit_scale": KnobNote(
        "in_head has rows of a norm of about 100, which AdamW turns slowly; fixed and trained have"
        " rows of length 1; only with head_init=zero_shot.",
        CLIP,
    ),
    "resolution": KnobNote(
        "More pixels give more patch tokens: cost grows at least with the square of the side.",
        f"{FT_CLIP}, rung higher_resolution of [the ladder](../ladder.md); A8, A9",
    ),
    "crop_scale": KnobNote(
        "A smaller value crops smaller parts of the image: stronger augmentation.",
        "Inception crops, [arXiv 1409.4842](https://arxiv.org/abs/1409.4842); A35 of [the official"
        " run](../spec.md)",
    ),
    "hflip": KnobNote(
        "0 where left and right matter, such as digits and characters; 0.5 for most photos.",
        f"A35 of {RUN}",
    ),
    "rand_augment": KnobNote(
        "A larger m is a stronger magnitude, a larger n applies more operations to each image.",
        "[arXiv 1909.13719](https://arxiv.org/abs/1909.13719) in timm's notation; A36",
    ),
    "color_jitter": KnobNote(
        "A larger value changes brightness, contrast and saturation more.",
        f"A37 of {RUN}; [D9](../deviations.md)",
    ),
    "random_erasing": KnobNote(
        "A larger value erases a rectangle in more of the training images.",
        f"[arXiv 1708.04896](https://arxiv.org/abs/1708.04896); A38 of {RUN}",
    ),
    "mixup": KnobNote(
        "Blends pairs of images and their labels; a larger value mixes more evenly.",
        "[arXiv 1710.09412](https://arxiv.org/abs/1710.09412); rung weak_aug of [the"
        " ladder](../ladder.md) removes it",
    ),
    "cutmix": KnobNote(
        "Pastes a rectangle of another image and mixes the labels by area; with mixup on as well,"
        " each batch has one of the two.",
        "[arXiv 1905.04899](https://arxiv.org/abs/1905.04899); rung weak_aug of [the"
        " ladder](../ladder.md) removes it",
    ),
    "mix_pairs": KnobNote(
        "The partner of an image in mixup and cutmix; both pairings have the same distribution.",
        f"{OURS}, [D28](../deviations.md); mirrored is timm's",
    ),
    "label_smoothing": KnobNote(
        "A larger value asks for less confident predictions.",
        f"[arXiv 1512.00567](https://arxiv.org/abs/1512.00567); A34 of {RUN}",
    ),
    "interpolation": KnobNote(
        "bilinear gives slightly smoother images than bicubic.",
        f"bicubic: A35, A40 of {RUN}",
    ),
    "augment_backend": KnobNote(
        "tensor works on whole batches and is faster; timm is the reference, image by image.",
        f"{OURS}, [D27](../deviations.md)",
    ),
    "precision": KnobNote(
        "bf16, fp16 and tf32 are faster on GPUs that have them, and round more.",
        "mixed precision, [arXiv 1710.03740](https://arxiv.org/abs/1710.03740);"
        f" A18 to A22 of {RUN}"
        ", [D1](../deviations.md)",
    ),
    "seed": KnobNote(
        "Another seed is a replicate: another draw of training and selection images, another head,"
        " order and augmentation.",
        f"{OURS}, [D14](../deviations.md)",
    ),
    "encoder.name": KnobNote(
        "The architecture of the tower; encoder=clip_b16 sets name and weights together.",
        "open_clip",
    ),
    "encoder.pretrained": KnobNote(
        "The weights that training starts from ([weights](../weights.md)).",
        "open_clip",
    ),
    "encoder.weights": KnobNote(
        "Filled in when a trial is planned. A typed value must equal the sha256 of the weights.",
        OURS,
    ),
    "encoder.pixels": KnobNote(
        "Another mean and sd than the weights were trained with shifts all inputs.",
        f"clip: {CLIP}, A39; [D24](../deviations.md)",
    ),
    "data.name": KnobNote("Chooses the reader of the images ([data](../data.md)).", OURS),
    "data.root": KnobNote(
        "Folder of the images. The id depends on the images, not on the path.", OURS
    ),
    "data.folders": KnobNote(
        "classes: all folders in data.root are classes, whatever their names.", OURS
    ),
    "data.subset": KnobNote(
        "Fewer classes in all sets.",
        "imagenet100: CMC, [arXiv 1906.05849](https://arxiv.org/abs/1906.05849)",
    ),
    "data.shots": KnobNote(
        "Fewer training images of each class, drawn by the seed; an epoch is shorter as well.", OURS
    ),
    "data.selection": KnobNote(
        "More selection images choose the epoch with less noise and leave fewer to train on.",
        f"{OURS}, [D16](../deviations.md)",
    ),
    "data.selection_root": KnobNote("These images select the epoch and are not trained on.", OURS),
    "data.epoch_images": KnobNote(
        "The length of an epoch, and with it the number of steps and of evaluations.",
        f"{OURS}, [D25](../deviations.md)",
    ),
    "data.shift": KnobNote("Adds columns; no other number of a trial changes.", OURS),
    "data.shift_root": KnobNote("Where the shifted images are.", OURS),
    "data.on_error": KnobNote(
        "skip trains on fewer images, and their names become part of the fingerprint.",
        f"{OURS}, [D11](../deviations.md)",
    ),
    "data.class_names": KnobNote(
        "A file with the name of each class, as prompts write it ([data](../data.md)).", OURS
    ),
    "data.templates": KnobNote(
        "A file with prompt templates, one per line, with {} for the class.", OURS
    ),
    "data.prompts": KnobNote("The sha256 of the prompts of these two files; a plan sets it.", OURS),
    "data.fingerprint": KnobNote(
        "Filled in when a trial is planned. A typed value must equal the fingerprint of the data.",
        OURS,
    ),
}
