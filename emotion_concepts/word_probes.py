"""What the words of the stories alone would say of other texts: the baseline of probes
that are read on prompts.

An emotion's word vector is the mean of its stories' weighted word counts (TF-IDF), less
the mean over emotions, as its vector is of residual streams.
"""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from emotion_concepts.store import Record
from emotion_concepts.vectors import cosines


def word_probes(
    stories: list[Record], emotions: list[str], texts: list[str]
) -> np.ndarray:
    """Cosine (texts, emotions) of each text's words with the words of each emotion's
    stories.

    Args:
        stories: the kept stories, with `emotion` and `text`.
        emotions: in order.
        texts: what is read. The mean over them is taken out, as with the probes.
    """
    weigh = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    counts = weigh.fit_transform([r["text"] for r in stories])
    index = np.array([emotions.index(r["emotion"]) for r in stories])
    means = np.stack(
        [
            np.asarray(counts[index == place].mean(0))[0]
            if (index == place).any()
            else np.zeros(counts.shape[1])
            for place in range(len(emotions))
        ]
    )
    read = weigh.transform(texts).toarray()
    return cosines(read - read.mean(0), means - means.mean(0))
