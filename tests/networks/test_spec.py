"""Networks from a literal spec: words, fields, precision."""

import json

import pytest
import torch
from paper_networks import NEAR, TINY_RRDBNET, TINY_SRRESNET
from random_networks import MSRRESNET, network_of, random_lr, random_state

from upscale.networks.spec import (
    RRDBNetSpec,
    Spec,
    SRResNetSpec,
    build,
    set_precision,
    spec_from_dict,
    spec_to_dict,
)


@pytest.mark.parametrize("spec", [TINY_SRRESNET, TINY_RRDBNET, MSRRESNET])
def test_pictures_of_a_batch_do_not_touch_each_other(spec: Spec) -> None:
    network = network_of(spec, random_state(spec))
    one, two = random_lr(5, 6, seed=1), random_lr(5, 6, seed=2)
    both = network(torch.cat((one, two)))
    torch.testing.assert_close(both, torch.cat((network(one), network(two))), rtol=0, atol=NEAR)


# --- specs


@pytest.mark.parametrize(
    "spec",
    [
        SRResNetSpec(),
        MSRRESNET,
        SRResNetSpec(upsampler="nearest", input="imagenet", last_shuffle_folded=True),
        RRDBNetSpec(),
        RRDBNetSpec(scale=2, features=32, blocks=6, growth=16, unshuffle=2),
    ],
)
def test_spec_survives_a_round_trip_through_json(spec: Spec) -> None:
    assert spec_from_dict(json.loads(json.dumps(spec_to_dict(spec)))) == spec


def test_fields_left_out_are_those_of_the_paper() -> None:
    assert spec_from_dict({"architecture": "rrdbnet", "blocks": 6}) == RRDBNetSpec(
        scale=4, features=64, blocks=6, growth=32, unshuffle=1
    )


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "architecture None"),
        ({"architecture": "edsr"}, "architecture 'edsr'"),
        ({"architecture": "rrdbnet", "depth": 23}, "no depth"),
        ({"architecture": "rrdbnet", "end_kernel": 9}, "no end_kernel"),
        ({"architecture": "rrdbnet", "blocks": "23"}, "no blocks = '23'"),
        ({"architecture": "rrdbnet", "blocks": True}, "no blocks = True"),
        ({"architecture": "srresnet", "long_skip": 1}, "no long_skip = 1"),
    ],
)
def test_spec_with_an_unknown_field_or_type_is_refused(
    values: dict[str, object], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        spec_from_dict(values)


@pytest.mark.parametrize(
    "field",
    [
        "normalization",
        "first_activation",
        "block_activation",
        "up_activation",
        "hr_activation",
        "upsampler",
        "input",
        "output",
        "base",
    ],
)
def test_spec_with_a_word_that_no_network_knows_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        spec_from_dict({"architecture": "srresnet", field: "tahn"})


def test_scale_that_no_network_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\b5; .*\b4\b"):
        build({"architecture": "rrdbnet", "scale": 5})


@pytest.mark.parametrize("spec", [TINY_SRRESNET, TINY_RRDBNET, MSRRESNET])
def test_network_takes_a_plain_dictionary_of_its_own_parameters(spec: Spec) -> None:
    state = random_state(spec)
    network = build(spec)
    network.load_state_dict(state)
    assert all(torch.equal(tensor, state[key]) for key, tensor in network.state_dict().items())


# --- precision


@pytest.mark.parametrize("spec", [TINY_RRDBNET, MSRRESNET])
def test_output_in_bfloat16_is_float32_and_near(spec: Spec) -> None:
    network = network_of(spec, random_state(spec))
    lr = random_lr(6, 5)
    exact = network(lr)
    set_precision(network, torch.bfloat16)
    rough = network(lr)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, rtol=0, atol=0.02)
