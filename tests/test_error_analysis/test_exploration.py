from error_analysis.searching.canonical import canonical
from error_analysis.searching.exploration import explored, gallery_points, known_points, leads, superlinear, variants
from error_analysis.searching.setting import Setting
from winograd import format_points, published_points


def test_known_points_are_canonical_and_include_the_published_ones() -> None:
    known = known_points(6)
    assert known["published"] == canonical(published_points(4, 2))
    assert all(canonical(points) == points for points in known.values())
    assert known_points(30)  # beyond the published ones there are integers


def test_exploration_finds_points_below_the_published_ones() -> None:
    setting = Setting(5, 3, 1)
    descent = explored(setting, continuous=False)
    published = descent.value(published_points(5, 2))
    assert descent.seen[descent.leading(1)[0]] < published - 0.1


def test_same_seed_same_exploration() -> None:
    setting = Setting(2, 2, 1)
    assert explored(setting, 4).seen == explored(setting, 4).seen


def test_leads_are_different_proved_and_no_more_than_asked() -> None:
    setting = Setting(3, 3, 1, "float32", "kernel")
    descent = explored(setting, continuous=False)
    for count in (1, 5, 16):
        found = leads(setting, descent, count, shared=True)  # F(3, 3) has nothing in the gallery
        assert 1 <= len(found) == len(set(found)) <= count
        assert all(candidate.fma for candidate in found[: count // 2])
    for candidate in found:
        candidate.algorithm(setting)  # an Algorithm proves its transforms
    assert any("factor" in candidate.passes for candidate in found)


def test_the_points_of_the_gallery_are_tried_in_any_case() -> None:
    setting = Setting(4, 3, 1)
    shown = gallery_points(4, 3)
    tried = {candidate.points for candidate in leads(setting, explored(setting, continuous=False), 1)}
    assert shown
    assert {format_points(points) for points in shown} <= tried


def test_variants_keep_the_points() -> None:
    setting = Setting(2, 3, 1, "float32", "kernel")
    candidate = leads(setting, explored(setting, continuous=False), 2)[0]
    found = variants(candidate)
    assert len(set(found)) == len(found) > 3
    assert {(c.points, c.scale_a, c.scale_b) for c in found} == {
        (candidate.points, candidate.scale_a, candidate.scale_b)
    }


def test_moduli_with_a_common_factor_are_left_out() -> None:
    found = superlinear(Setting(9, 3))
    assert len(found) > 3 and all(candidate.superlinear for candidate in found)
    assert {candidate.algorithm(Setting(9, 3)).n[0] for candidate in found} == {12, 13, 14}
