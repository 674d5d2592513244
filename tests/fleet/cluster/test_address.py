"""A cluster has one of a few words, or a host and a port."""

import pytest

from upscale.errors import UsageError
from upscale.fleet.cluster.address import check_cluster


@pytest.mark.parametrize("word", ["", "here", "ray://", "ray://host", "ray://:10001", "host:6379"])
def test_a_word_that_names_no_cluster_is_a_mistake(word):
    with pytest.raises(UsageError, match="ray://HOST:10001"):
        check_cluster(word)


@pytest.mark.parametrize("word", ["auto", "local", "ray://10.0.0.1:10001"])
def test_clusters_are_on_this_machine_or_elsewhere(word):
    check_cluster(word)
