"""The report: figures, twins, files, and a biased teacher named as such."""

import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator

from skdistill import (
    DistilledClassifier,
    SoftBoostingClassifier,
    SoftNetClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
    load,
)
from skdistill.compact.file_format import to_bytes
from skdistill.device import Profile
from skdistill.inspection import Predictions, report
from skdistill.inspection.bounds import upper_bound
from skdistill.inspection.report.api import MOST_BYTES
from skdistill.inspection.report.boards import BOARDS, board_fits
from skdistill.inspection.report.charts import pareto_chart
from skdistill.inspection.report.render import script_json
from skdistill.inspection.report.tracing import choose_rows
from skdistill.metrics import fidelity_score, retention_score

VOID = {"meta", "link", "br", "input", "img"}


class Strict(HTMLParser):
    """Collects elements, and fails where one is not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(html):
    parser = Strict()
    parser.feed(html)
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def distilled():
    X, y = load_iris(return_X_y=True, as_frame=True)
    y = y.map({0: "setosa", 1: "<versicolor>", 2: "virginica | x"})
    teacher = FrozenEstimator(RandomForestClassifier(10, random_state=0).fit(X[::2], y[::2]))
    model = DistilledClassifier(
        teacher, SoftTreeClassifier(max_leaf_nodes=4), transfer_set=None, random_state=0
    )
    return model.fit(X[::2], y[::2]), X[1::2], y[1::2]


def test_figures_are_those_of_the_models(distilled):
    model, X, y = distilled
    content = report(model, X, y, targets=[]).content
    quality = content["quality"]
    t, s = model.teacher_.predict(X), model.predict(X)
    assert quality["models"]["student"]["accuracy"] == model.score(X, y)
    assert quality["fidelity"] == fidelity_score(t, s)
    assert quality["retention"] == retention_score(y, t, s)
    assert quality["disagreement_bound"] == upper_bound(int((t != s).sum()), len(y))
    assert content["model"]["nbytes"] == model.compact_.nbytes
    assert sum(content["model"]["parts"].values()) == model.compact_.nbytes
    file = to_bytes(model.compact_)
    assert content["fingerprints"]["model"] == sha256(file).hexdigest()
    for row in content["rows"]:
        assert row["base"] + sum(each["adds"] for each in row["additions"]) == row["score"]
        scores = model.compact_.scores(X.iloc[[row["row"]]])[0]
        assert row["score"] == scores.max() and row["path"]


def test_the_page_is_one_well_formed_file_that_asks_for_nothing(distilled):
    model, X, y = distilled
    html = report(model, X, y, groups=X.iloc[:, 0] > 6, targets=[], title="<b>&").to_html()
    page = parsed(html)
    for tag, attributes in page.attributes:
        for name in ("src", "href", "xlink:href", "data", "srcset", "action"):
            address = attributes.get(name)
            # Links of checks are followed by people only.
            ok = address is None or address.startswith(("#", "data:"))
            assert ok or (tag == "a" and "checks.html#skd" in address)
    assert "url(" not in html and "@import" not in html
    assert len(html.encode()) < 200_000
    assert "<title>&lt;b&gt;&amp;</title>" in html and "&lt;versicolor&gt;" in html
    ids = [attributes["id"] for _, attributes in page.attributes if "id" in attributes]
    assert len(ids) == len(set(ids))
    hrefs = {a["href"][1:] for tag, a in page.attributes if tag == "a" and a["href"][0] == "#"}
    assert hrefs <= set(ids)


def test_json_and_markdown_say_the_same(distilled, tmp_path):
    model, X, y = distilled
    path = tmp_path / "page.html"
    result = report(model, X, y, targets=[], path=path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["page.html", "page.json", "page.md"]
    content = json.loads((tmp_path / "page.json").read_text())
    assert content["quality"] == result.content["quality"]
    card = (tmp_path / "page.md").read_text()
    assert f"{100 * content['quality']['fidelity']:.1f} % of the rows" in card
    assert "virginica \\| x" in card and "&lt;versicolor>" in card
    _, head, text = card.split("---\n", 2)
    assert head.startswith("library_name: skdistill\n") and "model-index:" in head
    value = re.search(r"type: accuracy\n +value: (.*)\n", head)[1]
    assert float(value) == content["quality"]["models"]["student"]["accuracy"]
    text = re.sub(r"^    .*\n", "", text, flags=re.MULTILINE)  # blocks of code
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    for table in tables:  # as many cells in each row as in the head
        counts = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(counts) == 1


def test_no_name_ends_the_block_of_code_of_the_card():
    X = pd.DataFrame({"a\n````\n# b": np.arange(20.0), "c": np.arange(20.0) % 3})
    y = (X.iloc[:, 0] > 9).astype(int)
    card = report(SoftTreeClassifier().fit(X, y), X, y, targets=[]).to_markdown()
    block = card.split("## Model\n")[1].split("## Reproduce")[0]
    assert "# b" in block
    assert all(line.startswith("    ") or not line for line in block.splitlines())


def test_groups_of_a_regression_are_refused():
    X = np.arange(20.0)[:, None]
    tree = SoftTreeRegressor().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="groups are for classifications"):
        report(tree, X, X[:, 0], groups=np.arange(20) % 2, targets=[])


def test_the_model_inside_of_the_page_is_the_model(distilled, tmp_path):
    import base64

    model, X, y = distilled
    file = report(model, X, y, targets=[]).content["fingerprints"]["file"]
    (tmp_path / "m.skd").write_bytes(base64.b64decode(file))
    assert load(tmp_path / "m.skd").equals(model.compact_)


def test_code_to_reproduce_makes_the_same_model():
    X, y = load_iris(return_X_y=True)
    model = SoftTreeClassifier(max_leaf_nodes=5).fit(X, y)
    code = report(model, X, y, targets=[]).content["code"]
    exec(code, {"SoftTreeClassifier": SoftTreeClassifier, "X": X, "y": y})
    with pytest.raises(AssertionError):
        exec(code, {"SoftTreeClassifier": SoftTreeClassifier, "X": X[:90], "y": y[:90]})


def test_nothing_is_written_where_the_name_is_wrong_or_the_folder_is_missing(distilled, tmp_path):
    model, X, y = distilled
    result = report(model, X, y, targets=[], n_rows=0)
    with pytest.raises(ValueError, match=r"path must end in .html, got 'page.txt'"):
        result.save("page.txt")
    with pytest.raises(FileNotFoundError):
        result.save(tmp_path / "nowhere" / "page.html")
    assert list(tmp_path.iterdir()) == []


class BiasedTeacher(ClassifierMixin, BaseEstimator):
    """Refuses half of those in the minority who should be accepted."""

    classes_ = np.array(["accept", "refuse"])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        refuse = (X[:, 0] < 0) | ((X[:, 2] > 1) & (X[:, 1] > 0))
        p = np.where(refuse, 0.9, 0.1)
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_a_biased_teacher_is_named_in_the_table_in_the_checks_and_on_the_page():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 4))
    y = np.where(X[:, 0] < 0, "refuse", "accept")
    groups = np.where(X[:, 2] > 1, "minority", "others")
    model = DistilledClassifier(
        FrozenEstimator(BiasedTeacher()), SoftTreeClassifier(max_leaf_nodes=16), transfer_set=None
    ).fit(X[:3000])
    result = report(model, X[3000:], y[3000:], groups=groups[3000:], targets=[])
    minority, others = result.content["parts"]["groups"]
    assert minority["name"] == "minority"
    assert minority["accuracy_teacher"] < 0.8 < 0.99 < others["accuracy_teacher"]
    assert minority["positive_teacher"] > minority["positive_labels"] + 0.15
    assert {check["code"] for check in result.content["checks"]} == {"SKD108"}
    (gap,) = result.content["parts"]["teacher_gaps"]
    assert (gap["group"], gap["rate"]) == ("minority", "the share of false refuse")
    for text in (result.to_html(), result.to_markdown()):
        assert "The teacher is biased" in text
    fair = model.__class__(None, SoftTreeClassifier(max_leaf_nodes=16), alpha=0).fit(
        X[:3000], y[:3000]
    )
    silent = report(fair, X[3000:], y[3000:], groups=groups[3000:], teacher=fair, targets=[])
    assert silent.content["checks"] == [] and silent.content["parts"]["teacher_gaps"] == []


def test_regressions_have_a_report(tmp_path):
    X, _ = load_iris(return_X_y=True)
    teacher = RandomForestRegressor(10, random_state=0).fit(X[:, :3], X[:, 3])
    tree = SoftTreeRegressor(max_leaf_nodes=6).fit(X[:, :3], X[:, 3])
    result = report(tree, X[:, :3], X[:, 3], teacher=teacher, targets=[], path=tmp_path / "r.html")
    assert result.content["quality"]["models"]["student"]["r2"] == tree.score(X[:, :3], X[:, 3])
    assert result.content["parts"] == {} and result.content["calibration"] == {}
    page = parsed(result.to_html())
    assert "dl" in page.tags
    assert "tabular-regression" in result.to_markdown()


def test_without_rows_predictions_are_enough():
    X, y = load_iris(return_X_y=True)
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    P = model.predict_proba(X)
    out = Predictions(y, model.predict(X), y, P_student=P, out_of_fold=True)
    result = report(model, predictions=out)
    assert result.content["rows"] == [] and result.content["devices"] == []
    html = result.to_html()
    parsed(html)
    assert "each predicted by models that were not fitted on it" in html
    with pytest.raises(ValueError, match="report needs X and y"):
        report(model)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        Predictions(y, y[:3])


def test_a_compact_model_and_a_search_have_a_report():
    X, y = load_iris(return_X_y=True)
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    result = report(model.compact_, X, y, targets=[])
    assert 'skdistill.load("model.skd")' in result.content["code"]
    frame = pd.DataFrame(
        {"family": ["tree", "net"], "bytes": [50.0, 200.0], "accuracy": [0.9, np.nan],
         "params": [{"a": 1}, {"a": 2}], "score": [0.9, 0.8]}
    )  # fmt: skip
    search = SimpleNamespace(
        pareto_=frame, cv_results_={"params": []}, best_params_={}, compact_=model.compact_,
        predict=model.predict, predict_proba=model.predict_proba,
    )  # fmt: skip
    search.footprint_ = SimpleNamespace(flash=321)
    content = report(search, X, y, targets=[]).content
    assert content["candidates"]["points"][-1]["bytes"] == 321
    assert [p["name"] for p in content["candidates"]["points"]] == ["candidate 1", "this student"]


def test_nets_are_traced_and_large_models_stay_small():
    X, y = load_digits(return_X_y=True)
    net = SoftNetClassifier(hidden_layer_sizes=(8,), max_iter=3, random_state=0).fit(X, y)
    result = report(net, X[:300], y[:300], targets=[], n_rows=2)
    assert all(row["sampled"] for row in result.content["rows"])
    parsed(result.to_html())
    boosted = SoftBoostingClassifier(n_estimators=30, max_leaf_nodes=31).fit(X, y)
    html = report(boosted, X[:300], y[:300], groups=np.arange(300), targets=[], n_rows=3).to_html()
    assert len(html.encode()) < MOST_BYTES / 3
    parsed(html)


def test_rows_that_the_student_loses_come_first():
    y = np.array([0, 1] * 50)
    student = y.copy()
    student[[7, 21, 90]] = 1 - student[[7, 21, 90]]
    rows = choose_rows(Predictions(y, student, y), 12)
    assert {7, 21, 90} <= set(rows.tolist()) and len(rows) <= 12
    assert choose_rows(Predictions(y[:0], student[:0], y[:0]), 12).tolist() == []


def test_devices_and_boards():
    X, y = make_classification(200, 5, random_state=0)
    tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    content = report(tree, X, y, targets=["cortex-m0"]).content
    (device,) = content["devices"]
    assert device["mismatches"] == 0 and device["target"] == "cortex-m0"
    boards = [board for board in BOARDS if board.target == "cortex-m0"]
    assert [each["board"] for each in content["boards"]] == [board.name for board in boards]
    assert all(each["fits"] for each in content["boards"])
    large = Profile("avr", "float32", "label", "table", 9, 0, 30_000, 4_000, 0, 100, 14, 60)
    (uno,) = board_fits({"avr": large})
    assert not uno["fits"] and uno["ram"] == 160 and uno["flash"] == 34_000


def test_a_point_of_the_chart_is_a_button_and_only_one_is_a_stop_of_the_tab_key():
    points = [{"name": f"m{i}", "family": "tree", "bytes": 2.0**i, "score": i / 9, "front": True}
              for i in range(1, 9)]  # fmt: skip
    svg = pareto_chart({"score": "accuracy", "points": points})
    assert svg.count('role="button"') == 8 and svg.count('tabindex="0"') == 1
    assert pareto_chart({"score": "accuracy", "points": []}) == ""
    one = pareto_chart({"score": "r2", "points": points[:1]})
    assert "nan" not in one and "inf" not in one


def test_json_inside_of_a_script_cannot_end_it():
    text = script_json({"a": "</script><!--\u2028"})
    assert "<" not in text and json.loads(text) == {"a": "</script><!--\u2028"}


def test_teachers_that_number_their_labels_are_asked_with_the_labels_of_fit():
    from xgboost import XGBClassifier

    X, y = load_iris(return_X_y=True)
    y = np.array(["setosa", "versicolor", "virginica"])[y]
    teacher = XGBClassifier(n_estimators=3, n_jobs=1)
    model = DistilledClassifier(teacher, SoftTreeClassifier(max_leaf_nodes=4), cv=2, random_state=0)
    model.fit(X[::2], y[::2])
    content = report(model, X[1::2], y[1::2], targets=[]).content
    quality = content["quality"]
    assert quality["fidelity"] > 0.9 and quality["models"]["teacher"]["accuracy"] > 0.9
    assert quality["models"]["teacher"]["log_loss"] < 1
    assert "SKD111" not in {check["code"] for check in content["checks"]}


def test_categories_that_are_numbers_are_traced_and_measured_as_such():
    rng = np.random.default_rng(0)
    code = rng.choice([7, 11, 40], 400)
    X = pd.DataFrame({"code": pd.Categorical(code), "z": rng.normal(size=400)})
    X.loc[::11, "code"] = np.nan
    tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, (code == 11).astype(int))
    content = report(tree, X, (code == 11).astype(int), targets=["cortex-m0"], n_rows=30).content
    assert content["devices"][0]["mismatches"] == 0
    for row in content["rows"]:
        (cause,) = [each for each in row["additions"] if each["column"] == "code"]
        cell = X["code"].iloc[row["row"]]
        assert cause["value"] == ("missing" if pd.isna(cell) else str(cell))
        assert row["score"] == tree.compact_.scores(X.iloc[[row["row"]]])[0, 0]


def test_checks_of_a_report_use_the_predictions_that_were_passed():
    X, y = load_iris(return_X_y=True)
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    never = np.where(y == 2, 1, y)
    content = report(model, predictions=Predictions(y, never)).content
    assert [check["code"] for check in content["checks"]] == ["SKD104"]


class Untouched:
    """Rows that nobody may read."""

    def __array__(self, *args, **kwargs):
        raise AssertionError("the path was checked after the rows were read")


def test_paths_are_refused_before_the_work(distilled, tmp_path):
    model, _, y = distilled
    with pytest.raises(ValueError, match=r"must end in \.html"):
        report(model, Untouched(), y, targets=[], path=tmp_path / "page.txt")
    with pytest.raises(FileNotFoundError, match="create it first"):
        report(model, Untouched(), y, targets=[], path=str(tmp_path / "none" / "page.html"))
    assert list(tmp_path.iterdir()) == []


def test_teachers_without_predict_are_refused_with_a_remedy(distilled):
    model, X, y = distilled
    with pytest.raises(TypeError, match="CallableTeacher"):
        report(model.compact_, X, y, teacher=lambda X: None, targets=[])


@pytest.mark.parametrize("blank", [None, np.nan, pd.NA])
def test_labels_that_are_missing_are_counted(blank):
    X = np.arange(20.0)[:, None]
    tree = SoftTreeClassifier(max_leaf_nodes=2).fit(X, ["no", "yes"] * 10)
    y = np.array(["no", "yes"] * 9 + [blank, blank], object)
    with pytest.raises(ValueError, match="y has 2 missing values in 20 rows: leave these rows out"):
        report(tree, X, y, targets=[])
