"""How many numbers the generators of the papers have, counted by hand from their figures."""


def srresnet_numbers(n: int, blocks: int, batch_norm: bool = True) -> int:
    """Parameters of figure 4 of Ledig et al.: weights and biases, two a channel of batch-norm, one
    a channel of PReLU."""
    norm = 2 * n if batch_norm else 0
    convolution = 9 * n * n + n
    block = 2 * (convolution + norm) + n
    up = 9 * n * 4 * n + 4 * n + n
    ends = 3 * 81 * n + n + n + 81 * n * 3 + 3
    return ends + blocks * block + convolution + norm + 2 * up


def rrdbnet_numbers(n: int, blocks: int, growth: int) -> int:
    """Parameters of figure 4 of Wang et al.: three dense blocks of five convolutions each."""
    inner = sum(9 * (n + k * growth) * growth + growth for k in range(4))
    dense = inner + 9 * (n + 4 * growth) * n + n
    same = 9 * n * n + n
    return 27 * n + n + blocks * 3 * dense + same + 2 * same + same + 27 * n + 3
