"""AdamW on flat parameters: one operation per parameter group instead of one per tensor."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from clip_hparam.training.optim.flat_parameters import FlatParameters
from clip_hparam.training.optim.param_groups import ParamGroup

MOMENTS = ("exp_avg", "exp_avg_sq")


class FlatAdamW(torch.optim.AdamW):
    """torch's fused AdamW, with the same bits and the same state dict, on flat parameters.

    A parameter group has one parameter, the part of `flat.values` with all tensors of the group.
    The state dict has an entry for each tensor, as that of torch.optim.AdamW has, so that
    checkpoints do not depend on the layout.

    groups: in the order of `flat`, which holds exactly their parameters.
    updates: number of calls of `step` that have begun.
    """

    def __init__(
        self,
        groups: Sequence[ParamGroup],
        flat: FlatParameters,
        betas: tuple[float, float],
        eps: float,
    ) -> None:
        self._flat = flat
        self.updates = 0
        self._members = [len(group.parameters) for group in groups]
        self._sizes = [
            sum(parameter.numel() for parameter in group.parameters.values()) for group in groups
        ]
        parts = torch.split(flat.values, self._sizes)
        super().__init__(
            [
                {
                    "params": [nn.Parameter(part)],
                    "lr_scale": group.lr_scale,
                    "weight_decay": group.weight_decay,
                }
                for group, part in zip(groups, parts, strict=True)
            ],
            lr=0.0,
            betas=betas,
            eps=eps,
            fused=True,
        )
        self._step = torch.zeros((), device=flat.values.device)
        self._moments = {name: torch.zeros_like(flat.values) for name in MOMENTS}
        for at, group in enumerate(self.param_groups):
            self.state[group["params"][0]] = {"step": self._step} | {
                name: torch.split(moments, self._sizes)[at]
                for name, moments in self._moments.items()
            }

    @property
    def moments(self) -> Mapping[str, Tensor]:
        """The moments by name, laid out as the flat parameters."""
        return self._moments

    @property
    def steps_done(self) -> Tensor:
        """The number of steps, float32, shape (), on the device."""
        return self._step

    def set_gradients(self, gradients: Tensor) -> None:
        """Set the gradients of all groups, laid out as the flat parameters."""
        for group, part in zip(self.param_groups, torch.split(gradients, self._sizes), strict=True):
            group["params"][0].grad = part

    def clip_gradients(self, gradients: Tensor, max_norm: float) -> None:
        """Scale the gradients in place so that their norm is at most `max_norm`.

        The norm is that of the norms of the tensors, in the order of the module, as
        torch.nn.utils.clip_grad_norm_ computes it.
        """
        parts = self._flat.split(gradients)
        norm = get_total_norm([parts[position] for position in self._flat.module_order])
        clip_grads_with_norm_([group["params"][0] for group in self.param_groups], max_norm, norm)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update the parameters by their gradients."""
        self.updates += 1
        # torch's GradScaler sets these for an optimizer that unscales gradients by itself
        grad_scale = getattr(self, "grad_scale", None)
        found_inf = getattr(self, "found_inf", None)
        self._step += 1
        for group in self.param_groups:
            parameter = group["params"][0]
            state = self.state[parameter]
            torch._fused_adamw_(
                [parameter],
                [parameter.grad],
                [state["exp_avg"]],
                [state["exp_avg_sq"]],
                [],
                [self._step],
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
                grad_scale=grad_scale,
                found_inf=found_inf,
            )
        if found_inf is not None:
            self._step -= found_inf

    def state_dict(self) -> dict[str, Any]:
        """Return the state by tensor: the layout of torch.optim.AdamW."""
        moments = zip(*(self._flat.split(flat) for flat in self._moments.values()), strict=True)
        state = {
            index: {
                "step": self._step.clone(),
                **{name: part.view_as(like) for name, part in zip(MOMENTS, parts, strict=True)},
            }
            for index, (like, parts) in enumerate(zip(self._flat.parameters, moments, strict=True))
        }
        groups: list[dict[str, Any]] = []
        indices = iter(range(len(state)))
        for group, members in zip(self.param_groups, self._members, strict=True):
            groups.append({**group, "params": list(islice(indices, members))})
        return {"state": state, "param_groups": groups}

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of a FlatAdamW or of a torch.optim.AdamW with the same groups.

        Raises: ValueError if the groups have other numbers of parameters.
        """
        saved, state = state_dict["param_groups"], state_dict["state"]
        if [len(group["params"]) for group in saved] != self._members:
            raise ValueError("the saved optimizer has other parameter groups")
        for group, values in zip(self.param_groups, saved, strict=True):
            group.update({name: value for name, value in values.items() if name != "params"})
        for name, flat in self._moments.items():
            for index, part in enumerate(self._flat.split(flat)):
                part.copy_(state[index][name].flatten()) if state else part.zero_()
        self._step.fill_(float(state[0]["step"]) if state else 0.0)
