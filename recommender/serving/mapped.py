"""The classes that a recommender is made of, for `recommender.mapped`.

One with a session encoder holds a network, whose classes are not listed: it cannot be mapped.
"""

from recommender.data.catalogue import Catalogue
from recommender.models.content_vectors import ContentVectors, ContentVectorsConfig
from recommender.models.fusion import FusionConfig, FusionGate
from recommender.models.ials import Ials, IalsConfig
from recommender.models.item_to_item import Neighbours
from recommender.models.learned_visits import LearnedVisits
from recommender.models.likeness import Likeness
from recommender.models.visit_counts import VisitCounts, VisitCountsConfig
from recommender.models.visit_intents import VisitIntents, VisitIntentsConfig
from recommender.models.visit_mixture import VisitMixture, VisitMixtureConfig
from recommender.ranking.features import RankingFeatures
from recommender.ranking.page import CandidateRow
from recommender.ranking.reasons import Because, Reason
from recommender.serving.explainer import Explainer
from recommender.serving.fallback import PopularTitles
from recommender.serving.interest_rows import InterestRows
from recommender.serving.recommender import Recommender
from recommender.serving.reranker import Reranker
from recommender.serving.taste import TasteModel
from recommender.serving.visit_taste import VisitTaste
from recommender.vocabulary import Vocabulary

CLASSES: tuple[type, ...] = (
    Catalogue, Vocabulary, PopularTitles, Recommender, TasteModel, Ials, IalsConfig, FusionGate,
    FusionConfig, Neighbours, Likeness, VisitTaste, VisitIntents, VisitIntentsConfig,
    LearnedVisits, VisitCounts, VisitCountsConfig, VisitMixture, VisitMixtureConfig, Explainer,
    ContentVectors, ContentVectorsConfig, InterestRows, RankingFeatures, Reranker, CandidateRow,
    Reason, Because,
)  # fmt: skip
