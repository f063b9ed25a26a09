from convolution.settings import Settings
from convolution.timing import QUICK, Turn


def test_the_command_says_what_is_not_default() -> None:
    assert Settings().command("layers") == "python benchmarks/conv.py"
    quick = Settings(threads=4, quick=True)
    assert quick.command("scaling") == "python benchmarks/conv.py --scaling --threads 4 --quick"
    settings = Settings(network=("vgg", "resnet-18"), layer=("3 × 3",))
    assert settings.command("layers").endswith("--network vgg --network resnet-18 --layer '3 × 3'")


def test_filters_do_not_change_what_is_measured() -> None:
    assert Settings(network=("vgg",)).measuring() == Settings().measuring()
    assert Settings(rounds=3).measuring() != Settings().measuring()
    assert (Settings(quick=True).turn, Settings().turn) == (QUICK, Turn())
