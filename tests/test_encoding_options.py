"""What encoders and machines can be asked for. That each option is described is in test_option_groups.py."""

from __future__ import annotations

from dataclasses import fields

import pytest

from vidrestore.encoding_options import Encoding, Machine
from vidrestore.errors import UsageError
from vidrestore.media.containers import CONTAINERS
from vidrestore.option_types import option_of
from vidrestore.options import Options


def test_every_container_can_be_chosen():
    described = next(field for field in fields(Encoding) if field.name == "container")
    assert option_of(described).choices == tuple(CONTAINERS)


def test_the_machine_is_chosen_by_itself():
    assert Machine() == Machine(device="auto", precision="auto", batch="auto", profile=False)


@pytest.mark.parametrize("given", [{"crf": 64}, {"deinterlace": "maybe"}, {"precision": "fp8"}], ids=str)
def test_what_no_encoder_or_machine_has_is_refused(given):
    with pytest.raises(UsageError):
        Options(input="in.mp4", **given)
