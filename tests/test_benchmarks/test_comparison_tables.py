import math
from typing import Any

from convolution.comparison_tables import network_tables, summary, text


def row(
    shape: str, times: dict[str, float], plain: bool = True, network: str = "VGG-16", channels: int = 64,
    size: int = 56,
) -> dict[str, Any]:
    """A row as a comparison makes it; every round took each contestant the given time."""
    return {
        "shape": shape, "layers": [[network, f"layer {shape}", 1]], "macs": 10**8, "plain 3x3": plain,
        "channels": channels, "size": [size, size], "algorithm": "F(4x4, 3x3)", "limit": 4.0, "sgemm": 2e11,
        "sgemm by": "torch.mm",
        "contestants": {
            name: {"median_s": s, "turns_s": [s, s], "filter_s": 0.001, "error_max": 1e-5, "error_mean": 1e-6}
            for name, s in times.items()
        },
    }


def against_torch(shape: str, ratio: float, **more: Any) -> dict[str, Any]:
    return row(shape, {"winograd NCHW": 0.002, "winograd NHWC": 0.001, "torch NCHW": 9.0, "torch NHWC": 0.002 * ratio},
               **more)


ROWS = [
    against_torch("a", 4.0),
    against_torch("b", 1.0, size=14),
    against_torch("c", 0.5, plain=False, network="ResNet-50"),
    against_torch("d", 8.0, network="Inception"),
]


def cells(table: str, label: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {label} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_groups_have_geometric_means_and_say_their_least_and_losses() -> None:
    table = summary(ROWS)
    # Group, peer, number, mean, least, losses, then the same against our better layout, twice as fast here.
    assert cells(table, "VGG-16 and ResNets, 3 × 3 stride 1")[2:8] == ["2", "2.00", "1.00", "0", "4.00", "2.00"]
    assert cells(table, "those with 64 or more channels, 28 × 28 or more")[2:5] == ["1", "4.00", "4.00"]
    mean = f"{math.prod([4, 1, 0.5, 8]) ** 0.25:.2f}"
    assert cells(table, "all distinct layers")[2:7] == ["4", mean, "**0.50**", "1", f"{2 * float(mean):.2f}"]
    assert "ncnn" not in table


def test_disturbed_rows_are_left_out_of_the_means() -> None:
    table = summary([*ROWS, against_torch("e", 50.0) | {"others": 0.9}])
    assert cells(table, "VGG-16 and ResNets, 3 × 3 stride 1")[2:5] == ["2", "2.00", "1.00"]
    assert table.endswith("Left out here: 1 of 5 rows, which other processes disturbed.")
    assert summary([ROWS[0] | {"others": 0.9}]).startswith("No row has a ratio")


def test_losses_are_bold_in_the_table_of_a_network() -> None:
    times, behind = network_tables("ResNet-50", [ROWS[2]])
    line = cells(times, "layer c")
    assert line[-2:] == ["**0.50** (0.50–0.50)", "1.00"]
    assert cells(behind, "layer c")[1:7] == ["F(4x4, 3x3)", "1.00", "100", "200", "4.00", "12 %"]


def test_contestants_that_did_not_run_have_no_column() -> None:
    assert "ncnn" not in network_tables("VGG-16", ROWS[:1])[0]
    mixed = [row("e", {"winograd NCHW": 1.0, "ncnn": 2.0}), row("f", {"winograd NCHW": 1.0})]
    times, _ = network_tables("VGG-16", mixed)
    assert cells(times, "layer e")[-1] == "2.00"
    assert cells(times, "layer f")[-1] == "–"


def test_under_each_table_stands_its_command() -> None:
    page = text(ROWS, "`the command`")
    tables = page.count("\n| ---")
    assert tables == 1 + 2 * 3  # the summary, two for each of three networks
    assert page.count("`the command`") == tables
    assert [line for line in page.splitlines() if line.startswith("###")] == [
        "### VGG-16", "### ResNet-50", "### Inception",
    ]
