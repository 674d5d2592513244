"""A network's layers in order, each with its effect on the rows of a picture.

`torch.fx` reads them from the network's own ``forward``, so there is no second description of it.
"""

import operator
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from upscale.networks.layers import Convolution, PReLU, RowWise
from upscale.networks.resampling import Resampling, Smoothing

__all__ = ["SUMS", "Operation", "Program", "Steps", "trace"]

POINTWISE = (PReLU, nn.ReLU, nn.LeakyReLU, nn.Identity, nn.BatchNorm2d, RowWise)
"""Layers whose rows depend on the same row only."""

SUMS = (operator.add, torch.add)
"""Functions that add rows, or a number to rows."""

POINTWISE_FUNCTIONS = (
    *SUMS,
    operator.sub,
    operator.truediv,
    torch.tanh,
    torch.cat,
    F.leaky_relu,
    "clamp",
    "float",
    "to",
)


@dataclass(frozen=True)
class Operation:
    """The effect of a layer on rows: ``up`` rows for each ``down`` rows of its inputs."""

    compute: Callable[..., Tensor]
    """Computes rows from rows of the inputs."""
    inputs: tuple[int, ...]
    """Indices of the inputs in the program; 0 is the picture."""
    reach: int = 0
    """Rows of the input above and below on which a result depends."""
    down: int = 1
    up: int = 1
    convolution: Convolution | None = None
    """Whether its input has ``reach`` rows of context, which are zero beyond the true edges. Other
    operations get the true rows only, and treat edges as in a whole picture."""
    due: int | None = None
    """Place of the operation whose rows these go with: they are computed no sooner."""
    target: object = None
    """The layer or the function that ``forward`` calls."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What a function gets besides rows, by name."""
    steps: "Callable[[int], Steps] | None" = None
    """Begins a picture of as many rows of input, if the operation keeps rows of its own. ``reach``
    is then how many it waits for."""
    bytes_inside: int = 0
    """Those of the rows of its own, for each pixel of the width of its input."""


class Steps(Protocol):
    """A picture on its way through an operation that keeps rows of its own."""

    least: int
    """Rows that it needs to begin with, unless they are the whole picture."""

    def next(self, rows: Tensor) -> Tensor:
        """Take the next rows, (N, C, rows, W); return those that they complete."""


Program = Sequence[Operation]
"""A network's layers in the order of computation."""


TRACING = threading.Lock()
"""Held while torch.fx replaces `nn.Module.__call__`, which affects all threads."""


class _Tracer(fx.Tracer):
    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Record a call, unless a network of another thread makes it."""
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return whether a module is a single operation."""
        return isinstance(m, (Convolution, Resampling, Smoothing, *POINTWISE))

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Return a module's attribute unchanged: ``forward`` asks for the types of its weights."""
        return attr_val


def trace(network: nn.Module) -> Program:
    """Read a network's program from its ``forward``.

    ``network``: in its final precision, one of `upscale.networks.spec.NETWORKS` or a module made of
    such; the program shares its parameters. Raises NotImplementedError for a layer without a rule
    in this module.
    """
    program: list[Operation] = []
    places: dict[fx.Node, tuple[int, ...]] = {}
    is_float32 = all(each.dtype == torch.float32 for each in network.parameters())
    with TRACING:
        graph = _Tracer().trace(network)
    for node in graph.nodes:
        if node.op == "output":
            break
        inputs = tuple(place for source in node.all_input_nodes for place in places[source])
        is_nothing = is_float32 and node.target == "to" and node.args[1] == torch.float32
        if is_nothing:
            places[node] = inputs
            continue
        if _is_joined_by_convolutions(network, node):
            parts = cast("Sequence[fx.Node]", node.args[0])  # a part may be there twice
            places[node] = tuple(place for part in parts for place in places[part])
            continue
        if node.target in SUMS:
            last = [
                len(source.users) > 1 and list(source.users)[-1] is node
                for source in node.all_input_nodes
            ]
            inputs = _inputs_when_due(program, inputs, last)
        places[node] = (len(program),)
        program.append(_operation(network, node, inputs))
    return tuple(program)


def _is_joined_by_convolutions(network: nn.Module, node: fx.Node) -> bool:
    """Return whether a concatenation can be skipped, since only convolutions use its parts."""
    return node.target is torch.cat and all(
        user.target is torch.cat or isinstance(_module(network, user), Convolution)
        for user in node.users
    )


def _inputs_when_due(
    program: list[Operation], inputs: tuple[int, ...], last: list[bool]
) -> tuple[int, ...]:
    """Return the places of a sum's inputs; ``last``: whether others read each before.

    A skip connection would keep its rows for as long as the trunk takes. Where they come from a
    convolution of few channels, such as the first one of RRDBNet, that is computed a second time
    when the trunk is there: to keep what it reads takes less memory.
    """
    late = max(inputs)

    def due(place: int) -> int:
        layer = program[place].convolution
        if place == late or layer is None or 2 * layer.in_channels > layer.out_channels:
            return place
        program.append(replace(program[place], due=late))
        return len(program) - 1

    return tuple(
        due(place) if is_last else place for place, is_last in zip(inputs, last, strict=True)
    )


def _module(network: nn.Module, node: fx.Node) -> nn.Module | None:
    return network.get_submodule(str(node.target)) if node.op == "call_module" else None


def _whole(factor: object) -> int:
    assert isinstance(factor, int)
    return factor


def _operation(network: nn.Module, node: fx.Node, inputs: tuple[int, ...]) -> Operation:
    module = _module(network, node)
    if isinstance(module, Convolution):
        return Operation(module, inputs, module.reach, convolution=module, target=module)
    if isinstance(module, Resampling | Smoothing):
        return Operation(module, inputs, module.reach, module.down, module.up, target=module)
    if module is not None or node.op == "placeholder":
        return Operation(module or nn.Identity(), inputs, target=module)

    def compute(*rows: Tensor) -> Tensor:
        of = dict(zip(node.all_input_nodes, rows, strict=True))
        args = fx.map_arg(node.args, of.__getitem__)
        target = node.target
        if isinstance(target, str):
            args, target = args[1:], getattr(args[0], target)
        result: Tensor = target(*args, **fx.map_arg(node.kwargs, of.__getitem__))
        return result

    own = Operation(compute, inputs, target=node.target, arguments=node.kwargs)
    if node.target is F.interpolate:
        factor = _whole(node.kwargs["scale_factor"])
        return replace(own, reach=int(node.kwargs["mode"] == "bilinear"), up=factor)
    if node.target is F.pixel_shuffle:
        return replace(own, up=_whole(node.args[1]))
    if node.target is F.pixel_unshuffle:
        return replace(own, down=_whole(node.args[1]))
    if node.target in POINTWISE_FUNCTIONS:
        return own
    raise NotImplementedError(f"a stream has no rule for {node.target}")
